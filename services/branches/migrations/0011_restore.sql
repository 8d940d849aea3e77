-- A record that ended can be opened again by a decision.

-- Why: 0 for decisions that open nothing again.
alter table member_decision add column restore_reason smallint not null default 0 check (restore_reason between 0 and 3);

-- People whose data identity has destroyed: nobody can say any more who they are, so nothing of them is opened again. Their
-- counties are nobody's business here: the row is asked for by its member.
create table erased_member (
    member_id text primary key,
    erase_time timestamptz not null
);
select kit_allow('erased_member');
revoke update, delete on erased_member from "{{service}}_app", "{{service}}_province";
