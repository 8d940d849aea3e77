-- Keys, tokens and numbers of many people at a time, also of those who have no e-ID: rosters come in hundreds.
-- `member_key.confirmed` is from now on about the person's row too, whether an application or a roster made it.

CREATE FUNCTION numbers_put(kinds smallint[], tokens bytea[], member_ids text[], given_county_code text)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        DELETE FROM number_index WHERE member_id = ANY (member_ids);
        INSERT INTO number_index (kind, token, member_id, county_code)
        SELECT kind, token, member_id, given_county_code
        FROM unnest(kinds, tokens, member_ids) AS given (kind, token, member_id)
        ON CONFLICT DO NOTHING;
    END;

-- Who in a county that the caller sees has one of these numbers; several people may share a telephone.
CREATE FUNCTION numbers_here(given_kind smallint, tokens bytea[], given_county_code text)
    RETURNS TABLE (token bytea, member_id text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT found.token, found.member_id FROM number_index found
        WHERE found.kind = given_kind AND found.token = ANY (tokens) AND found.county_code = given_county_code
          AND given_county_code = ANY (visible_counties());
    END;

-- Which of these numbers somebody of another county has; not who.
CREATE FUNCTION numbers_elsewhere(given_kind smallint, tokens bytea[], given_county_code text)
    RETURNS SETOF bytea LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        SELECT DISTINCT found.token FROM number_index found
        WHERE found.kind = given_kind AND found.token = ANY (tokens) AND found.county_code <> given_county_code;
    END;

-- Take numbers for members; returns those members whose number is theirs now.
CREATE FUNCTION numbers_hold(tokens bytea[], member_ids text[])
    RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
    BEGIN
        DELETE FROM number_holder holder USING unnest(tokens, member_ids) AS given (token, member_id)
        WHERE holder.member_id = given.member_id AND holder.token <> given.token;
        INSERT INTO number_holder (token, member_id)
        -- In one order everywhere, so that two who take many at once do not wait for each other.
        SELECT given.token, given.member_id FROM unnest(tokens, member_ids) AS given (token, member_id) ORDER BY 1
        ON CONFLICT DO NOTHING;
        RETURN QUERY SELECT holder.member_id FROM number_holder holder
            JOIN unnest(tokens, member_ids) AS given (token, member_id) USING (token, member_id);
    END;
    $$;

-- Who has a number's one living e-ID: the given member, or somebody else. A corrected number must be free.
CREATE FUNCTION number_held_by_other(given_token bytea, given_member_id text)
    RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    RETURN EXISTS (SELECT 1 FROM number_holder WHERE token = given_token AND member_id <> given_member_id);

-- A member moved to another county: the numbers stand there from now on.
CREATE FUNCTION numbers_move(given_member_id text, given_county_code text)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    BEGIN ATOMIC
        UPDATE number_index SET county_code = given_county_code WHERE member_id = given_member_id;
    END;

REVOKE ALL ON FUNCTION numbers_put, numbers_here, numbers_elsewhere, numbers_hold, number_held_by_other, numbers_move
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION numbers_put, numbers_here, numbers_elsewhere, numbers_hold, number_held_by_other, numbers_move
    TO identity_keys_app;
