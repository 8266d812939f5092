-- now: the engine's clock. Every verb asks it once, unless it is given p_now. Tests put another in its place
-- to move time, for all processes that use the schema.
create or replace function signalbox.now() returns timestamptz language sql volatile as $$
  select clock_timestamp()
$$;
