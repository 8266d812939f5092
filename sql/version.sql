-- The version that these files install; the client compares it with its own.

insert into signalbox.schema_version (version) values (2)
on conflict (only_row) do update set version = excluded.version, installed_at = now();
