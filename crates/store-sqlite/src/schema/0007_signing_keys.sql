-- Signatures that anybody can verify.

-- Seeds of ed25519 keys, sealed with the secret key; absent where none was asked for.
alter table webhook_out_subs add column signing_key blob;
alter table webhook_out_subs add column previous_signing_key blob;
alter table webhook_out_subs add column public_key text;
