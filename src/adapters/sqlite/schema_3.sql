-- The store's own name: a copy has it too, another store never.
INSERT INTO meta (name, value) VALUES ('store', lower(hex(randomblob(16)))) ON CONFLICT DO NOTHING;
