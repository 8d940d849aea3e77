-- Correcting a resident number: the new one must be nobody else's, also when two want it at once.

DROP FUNCTION number_held_by_other;

-- Enter a corrected number for a member, beside the old one, which goes when the correction is committed; false when
-- somebody else has it. The one living e-ID of the old number becomes that of the new one.
CREATE FUNCTION number_correct(given_token bytea, given_member_id text, given_county_code text)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
    BEGIN
        -- Of two who want the same number, the second waits and then sees the first.
        PERFORM pg_advisory_xact_lock(hashtextextended(encode(given_token, 'hex'), 2));
        IF EXISTS (SELECT 1 FROM number_index WHERE kind = 1 AND token = given_token AND member_id <> given_member_id)
            OR EXISTS (SELECT 1 FROM number_holder WHERE token = given_token AND member_id <> given_member_id) THEN
            RETURN false;
        END IF;
        INSERT INTO number_index (kind, token, member_id, county_code)
        VALUES (1, given_token, given_member_id, given_county_code) ON CONFLICT DO NOTHING;
        UPDATE number_holder SET token = given_token WHERE member_id = given_member_id;
        RETURN true;
    END;
    $$;

-- What a member who has a living e-ID holds is the number in the record, whatever was tried before.
CREATE FUNCTION number_settle(given_token bytea, given_member_id text)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE number_holder SET token = given_token
        WHERE member_id = given_member_id
          AND NOT EXISTS (SELECT 1 FROM number_holder other WHERE other.token = given_token);
    END;

REVOKE ALL ON FUNCTION number_correct, number_settle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION number_correct, number_settle TO identity_keys_app;
