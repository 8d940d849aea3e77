-- An office that follows a post has no day on which it ends: it lasts as long as the post.
alter table kit_grant alter column ends_at drop not null;
