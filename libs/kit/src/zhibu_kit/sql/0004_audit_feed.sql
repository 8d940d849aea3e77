-- Audit rows go to the log: how far they have been published, and whom each is about, so that a member's salts can be
-- destroyed without touching the row. The columns of kit_audit stay as they are, because the chain covers them. Whoever
-- still runs the version before writes one salt for all subjects of a row into commitment_salt, and nothing here.
alter table kit_audit_head add column fed_sequence bigint not null default 0;

create table kit_audit_subject (
  audit_id text not null,
  -- SHA-256 over salt and identifier; it stays when those two are emptied, so that the row's own commitment can be checked.
  commitment bytea not null,
  subject_id text,
  salt bytea,
  primary key (audit_id, commitment)
);
create index kit_audit_subject_subject on kit_audit_subject (subject_id) where subject_id is not null;
grant insert on kit_audit_subject to "{{service}}_app", "{{service}}_province";
grant select, insert on kit_audit_subject to "{{service}}_relay";

-- The running service may do these two things to what it can otherwise neither read nor change.
create function kit_forget_subjects(subjects text[]) returns void language sql security definer
set search_path = public, pg_temp as $$
  update kit_audit_subject set subject_id = null, salt = null where subject_id = any (subjects)
$$;

-- The feed only ever goes back: rows are published twice rather than never.
create function kit_feed_audit_from(wanted bigint) returns void language sql security definer
set search_path = public, pg_temp as $$
  update kit_audit_head set fed_sequence = least(fed_sequence, greatest(wanted, 1) - 1);
  select pg_notify('kit_audit_feed', '')
$$;

revoke execute on function kit_forget_subjects(text[]), kit_feed_audit_from(bigint) from public;
grant execute on function kit_forget_subjects(text[]), kit_feed_audit_from(bigint)
to "{{service}}_app", "{{service}}_relay", "{{service}}_province";
