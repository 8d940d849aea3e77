-- A message for the telephone that a change of the record replaced: the record's version after it, as TelephoneChanged
-- names it. 0: the member's own telephone.
alter table notice_sms add column former_version bigint not null default 0;
