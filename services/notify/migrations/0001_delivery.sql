-- What was sent, without what it said: no code, no text, and numbers only as keyed hashes. A delivery belongs to no county
-- (its request names none), so row-level security lets this service's own role through and nobody else.
create table delivery (
    delivery_id text primary key,
    caller text not null,
    request_id text not null,
    -- Keyed hash of the whole request: another body with the same id is noticed without keeping the body.
    fingerprint bytea not null,
    number_hash bytea not null,
    purpose text not null,
    state text not null check (state in ('submitting', 'accepted', 'not_sent', 'unknown')),
    -- Why it was not sent: a reason of errors.py.
    reason text,
    attempt_count integer not null,
    create_time timestamptz not null,
    state_time timestamptz not null,
    accept_time timestamptz,
    unique (caller, request_id)
);

create index delivery_number on delivery (number_hash, create_time);
create index delivery_age on delivery (create_time);

-- The message centre's identifiers, by which receipts name a message. A long text has several parts.
create table delivery_part (
    delivery_id text not null references delivery on delete cascade,
    part smallint not null,
    smsc_message_id text not null,
    primary key (delivery_id, part)
);

create index delivery_part_message on delivery_part (smsc_message_id);

-- Receipts as they came, once each. They may overtake the answer that names their message, so they stand alone.
create table delivery_receipt (
    smsc_message_id text primary key,
    delivered boolean not null,
    receive_time timestamptz not null
);

create index delivery_receipt_age on delivery_receipt (receive_time);

do $$
declare
    name text;
begin
    foreach name in array array['delivery', 'delivery_part', 'delivery_receipt'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy %I on %I to {{service}}_app using (true)', name || '_own', name);
        execute format('grant select, insert, update, delete on %I to {{service}}_app', name);
    end loop;
end
$$;
