-- An office that follows a post has no day on which it ends: it lasts as long as the post.
ALTER TABLE office_grant ALTER COLUMN ends_at DROP NOT NULL;
