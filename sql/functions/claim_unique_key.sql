-- claim_unique_key: takes a unique key for a task that is about to be inserted in this transaction. Returns
-- null, or the id of the unfinished task that holds the key.
--
-- Locks: the key. Waits for a transaction that is inserting a task with the same key.
create or replace function signalbox.claim_unique_key(
  p_key text,
  p_task_id text
) returns text language plpgsql
set jit = off set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_holder text;
begin
  loop
    insert into signalbox.unique_key (key, task_id) values (p_key, p_task_id)
    on conflict (key) do nothing;
    if found then
      return null;
    end if;
    -- The holder may end between the two statements: then try again.
    select k.task_id into v_holder from signalbox.unique_key k where k.key = p_key;
    if found then
      return v_holder;
    end if;
  end loop;
end
$$;
