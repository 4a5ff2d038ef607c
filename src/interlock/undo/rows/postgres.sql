-- What Interlock keeps in an application's database; made, or brought up to date, by PostgresRows.install.
-- Nothing here happens in a transaction that has not called interlock.begin.

CREATE SCHEMA IF NOT EXISTS interlock;
GRANT USAGE ON SCHEMA interlock TO PUBLIC;

CREATE TABLE IF NOT EXISTS interlock.layout (version integer NOT NULL);

-- The marker of an effect: a row here, committed, means that it happened, once.
CREATE TABLE IF NOT EXISTS interlock.effects (
    key text PRIMARY KEY,
    run text NOT NULL,
    action text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    result text,        -- JSON; null: the transaction was ended before interlock.finish
    undoes text,        -- the key of the effect that this one takes back
    undone_by text,     -- the key of the effect that took this one back
    tables jsonb,       -- the form that each table that was written had: {table: its number in forms}
    kept_until timestamptz  -- when its row images were thrown away
);

-- Every change of a row, as it came. An image is the row's text; a row that came has none before.
CREATE TABLE IF NOT EXISTS interlock.rows (
    n bigint GENERATED ALWAYS AS IDENTITY,
    effect text NOT NULL,
    tab text NOT NULL,
    before text,
    after text
);
CREATE INDEX IF NOT EXISTS rows_effect ON interlock.rows (effect);

-- The forms that tables have had; see interlock.form_of.
CREATE TABLE IF NOT EXISTS interlock.forms (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form jsonb NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS forms_once ON interlock.forms (md5(form::text));

-- The tables that have our triggers, and the form of each as long as its columns bear this mark and its key is there.
CREATE TABLE IF NOT EXISTS interlock.covered (
    id oid PRIMARY KEY,
    tab text NOT NULL,
    form integer REFERENCES interlock.forms,
    mark numeric,
    key_index oid
);


-- The index of the columns that tell rows apart: of the primary key, or else of a unique key without nulls.
CREATE OR REPLACE FUNCTION interlock.key_index_of(rel oid) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.indexrelid
    FROM pg_index i
    WHERE i.indrelid = rel AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
        AND NOT EXISTS (
            SELECT FROM pg_attribute a
            WHERE a.attrelid = rel AND NOT a.attnotnull
                AND a.attnum = ANY ((string_to_array(i.indkey::text, ' ')::smallint[])[1:i.indnkeyatts]))
    ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1
$$;

-- The numbers of these columns, in the key's order.
CREATE OR REPLACE FUNCTION interlock.key_of(rel oid) RETURNS smallint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (string_to_array(indkey::text, ' ')::smallint[])[1:indnkeyatts]
    FROM pg_index WHERE indexrelid = interlock.key_index_of(rel)
$$;

-- The names of columns, by their numbers.
CREATE OR REPLACE FUNCTION interlock.names_of(rel oid, numbers smallint[]) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(a.attname ORDER BY k.at), '[]')
    FROM unnest(numbers) WITH ORDINALITY k(num, at) JOIN pg_attribute a ON a.attrelid = rel AND a.attnum = k.num
$$;

-- The form of a table: its columns [name, type, generated, identity], the names of its key columns, and to which tables
-- it refers, by which columns: [table, columns, columns there, key there].
CREATE OR REPLACE FUNCTION interlock.form_of(rel oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        'columns', (
            SELECT jsonb_agg(jsonb_build_array(
                attname, format_type(atttypid, atttypmod), attgenerated::text, attidentity::text) ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = rel AND attnum > 0 AND NOT attisdropped),
        'key', interlock.names_of(rel, interlock.key_of(rel)),
        'references', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(
                format('%I.%I', n.nspname, p.relname), interlock.names_of(rel, f.conkey),
                interlock.names_of(p.oid, f.confkey), interlock.names_of(p.oid, interlock.key_of(p.oid)))), '[]')
            FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace n ON n.oid = p.relnamespace
            WHERE f.conrelid = rel AND f.contype = 'f'))
$$;

-- What changes with every change of the table's columns; it is cheaper to read than its form.
CREATE OR REPLACE FUNCTION interlock.mark_of(rel oid) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT sum(a.xmin::text::bigint + 1) FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attnum > 0
$$;

-- The number of the table's present form, read anew.
CREATE OR REPLACE FUNCTION interlock.read_form(rel oid) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now_is CONSTANT jsonb := interlock.form_of(rel);
    number integer;
BEGIN
    INSERT INTO interlock.forms (form) VALUES (now_is) ON CONFLICT DO NOTHING;
    SELECT id INTO number FROM interlock.forms WHERE md5(form::text) = md5(now_is::text);
    UPDATE interlock.covered SET form = number, mark = interlock.mark_of(rel), key_index = interlock.key_index_of(rel)
        WHERE id = rel;
    RETURN number;
END
$$;

-- Whether every change of the table's rows is captured.
CREATE OR REPLACE FUNCTION interlock.is_covered(rel oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 2 = (SELECT count(*) FROM pg_trigger
        WHERE tgrelid = rel AND tgname IN ('interlock_row', 'interlock_truncate') AND tgenabled = 'A')
$$;

-- Whether a row of the catalogue was written by this very transaction, which `top` is the number of.
CREATE OR REPLACE FUNCTION interlock.is_ours(written xid, top xid8) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A subtransaction's number is higher than its transaction's, and others' high numbers are no longer in progress.
    RETURN pg_xact_status((top::text::bigint + age(top::xid) - age(written))::text::xid8) = 'in progress';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;  -- a frozen row from before the numbers went round
END
$$;

DROP FUNCTION IF EXISTS interlock.seen();

-- How many tables there are, and how often those were written in this session that were: {tables, written: {id: times}}.
-- The counts go on over transactions, so only their difference tells of one. Two catalogues are among those that were
-- written: nothing is made, altered, emptied or dropped but by rows of pg_class (1259) or pg_attribute (1249).
CREATE OR REPLACE FUNCTION interlock.counted() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object('tables', count(*) FILTER (WHERE rel >= 16384),
            'written', coalesce(jsonb_object_agg(rel, times) FILTER (WHERE times > 0), '{}'))
        FROM (
            SELECT oid AS rel, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
                + pg_stat_get_xact_tuples_deleted(oid) AS times
            FROM (
                SELECT oid FROM pg_class
                -- Below 16384 is what came with the server.
                WHERE oid >= 16384 AND relkind = 'r' AND relpersistence <> 't'
                    AND relnamespace <> 'interlock'::regnamespace
                UNION ALL VALUES (1249::oid), (1259)) watched OFFSET 0) counts);
END
$$;

-- Begin the effect `key`: from here to interlock.finish, every change of a covered table's row is captured.
CREATE OR REPLACE FUNCTION interlock.begin(key text, run text, action text, undoes text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('interlock.key', true) <> '' THEN
        RAISE EXCEPTION 'the effect % is under way in this transaction already: begin another in one of its own',
            current_setting('interlock.key') USING ERRCODE = 'IL001';
    END IF;
    IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RAISE EXCEPTION 'this transaction has written or locked rows before the effect %: call interlock.begin first',
            key USING ERRCODE = 'IL001';
    END IF;
    IF NOT current_setting('track_counts')::boolean THEN
        RAISE EXCEPTION 'track_counts is off: writes to uncovered tables would not be seen; turn it on'
            USING ERRCODE = 'IL001';
    END IF;
    -- Whoever looks whether the effect has happened waits for this lock, and so for the end of this transaction.
    PERFORM pg_advisory_xact_lock(hashtextextended(key, 7));
    INSERT INTO interlock.effects (key, run, action, undoes) VALUES (key, run, action, undoes) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the effect % has been carried out already', key USING ERRCODE = 'IL002';
    END IF;
    PERFORM set_config('interlock.key', key, true), set_config('interlock.finished', '', true),
        set_config('interlock.seen', interlock.counted()::text, true);
END
$$;

-- Why what was done since interlock.begin can't be captured; null where it can.
CREATE OR REPLACE FUNCTION interlock.why_not() RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    earlier CONSTANT jsonb := current_setting('interlock.seen');
    now_is CONSTANT jsonb := interlock.counted();
    altered boolean;
    culprit text;
BEGIN
    SELECT bool_or(rel < 16384), string_agg(format('table %s is not covered: %s', rel::regclass, CASE
            WHEN interlock.key_of(rel) IS NULL THEN 'give it a primary key, and call install again'
            ELSE 'call install again' END), '; ') FILTER (WHERE rel >= 16384 AND 2 <> (
                SELECT count(*) FROM pg_trigger WHERE tgrelid = rel AND tgenabled = 'A'
                    AND tgname IN ('interlock_row', 'interlock_truncate')))
        INTO altered, culprit
        FROM (
            SELECT key::oid AS rel FROM jsonb_each(now_is -> 'written')
            WHERE value IS DISTINCT FROM earlier -> 'written' -> key) written;
    IF culprit IS NOT NULL OR altered IS NOT TRUE THEN
        RETURN culprit;
    END IF;
    IF now_is -> 'tables' <> earlier -> 'tables' THEN
        RETURN 'a table was made or dropped meanwhile: an effect may change rows, not tables';
    END IF;
    RETURN interlock.altered();
END
$$;

-- Which tables were made, altered or emptied by this transaction, as a sentence; null: none.
CREATE OR REPLACE FUNCTION interlock.altered() RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    top CONSTANT xid8 := pg_current_xact_id();
    age_of_top CONSTANT integer := age(top::xid);
    culprit text;
BEGIN
    -- TRUNCATE of a covered table, which was captured, leaves its mark in pg_class, but at no column.
    SELECT string_agg(DISTINCT c.oid::regclass::text, ', ') INTO culprit
        FROM (
            SELECT oid AS rel, xmin AS by FROM pg_class WHERE oid >= 16384 AND age(xmin) <= age_of_top
                AND NOT (relkind = 'r' AND interlock.is_covered(oid))
            UNION ALL
            SELECT attrelid, xmin FROM pg_attribute WHERE attrelid >= 16384 AND age(xmin) <= age_of_top) touched
        JOIN pg_class c ON c.oid = rel
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
            AND c.relnamespace <> 'interlock'::regnamespace AND interlock.is_ours(by, top);
    RETURN culprit || ': made, altered or emptied; an effect may only change rows of covered tables';
END
$$;

-- Finish the effect; returns the forms of the tables that it wrote.
CREATE OR REPLACE FUNCTION interlock.finish_checked(key text, result text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text;
    numbers jsonb;
    forms jsonb;
    known boolean;
BEGIN
    IF coalesce(current_setting('interlock.key', true), '') <> finish_checked.key THEN
        RAISE EXCEPTION 'the effect % is not under way in this transaction: it was ended in between, or never begun',
            key USING ERRCODE = 'IL001';
    END IF;
    reason := interlock.why_not();
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION '%', reason USING ERRCODE = 'IL003';
    END IF;
    SELECT coalesce(jsonb_object_agg(tab, number), '{}'), coalesce(jsonb_object_agg(tab, form), '{}'), bool_and(same)
        INTO numbers, forms, known
        FROM (
            SELECT w.tab, v.form AS number, f.form, coalesce(pg_table_is_visible(v.key_index) IS NOT NULL AND v.mark = (
                    SELECT sum(a.xmin::text::bigint + 1) FROM pg_attribute a
                    WHERE a.attrelid = v.id AND a.attnum > 0), false) AS same
            FROM (SELECT DISTINCT tab FROM interlock.rows WHERE effect = finish_checked.key) w
                LEFT JOIN interlock.covered v ON v.id = to_regclass(w.tab)
                LEFT JOIN interlock.forms f ON f.id = v.form) written;
    IF NOT known THEN
        numbers := interlock.forms_now(ARRAY(SELECT jsonb_object_keys(numbers)));
        IF jsonb_path_exists(numbers, '$.* ? (@ == null)') THEN
            RAISE EXCEPTION 'a table was renamed: an effect may change rows, not tables' USING ERRCODE = 'IL003';
        END IF;
        forms := interlock.forms_in(numbers);
    END IF;
    UPDATE interlock.effects e SET result = finish_checked.result, tables = numbers WHERE e.key = finish_checked.key;
    PERFORM set_config('interlock.finished', 'yes', true);
    RETURN forms;
END
$$;

-- The present forms of covered tables: {table: its number in interlock.forms}, null for one that isn't there.
CREATE OR REPLACE FUNCTION interlock.forms_now(names text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(name, CASE
            WHEN v.id IS NULL THEN NULL
            -- The second asks, by the cheapest way, whether the index is there still.
            WHEN v.mark = interlock.mark_of(v.id) AND pg_table_is_visible(v.key_index) IS NOT NULL
            THEN v.form ELSE interlock.read_form(v.id) END), '{}')
        FROM unnest(names) name LEFT JOIN interlock.covered v ON v.id = to_regclass(name));
END
$$;

-- The forms that are meant by {table: number}: {table: form}.
CREATE OR REPLACE FUNCTION interlock.forms_in(tables jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_object_agg(t.key, f.form), '{}')
        FROM jsonb_each_text(tables) t JOIN interlock.forms f ON f.id = t.value::integer);
END
$$;

-- Note the result (JSON) of the effect that this transaction has begun; called last.
CREATE OR REPLACE FUNCTION interlock.finish(key text, result text DEFAULT 'null') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- What is deferred to the commit changes rows as well, and in the name of whoever is here.
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM interlock.finish_checked(key, result);
END
$$;

-- The same; returns the changes of rows in their order, after the forms of the tables as the first `before`.
CREATE OR REPLACE FUNCTION interlock.finish_and_tell(key text, result text)
RETURNS TABLE (tab text, before text, after text)
LANGUAGE plpgsql AS $$
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN QUERY SELECT NULL, interlock.finish_checked(key, result)::text, NULL;
    RETURN QUERY SELECT r.tab, r.before, r.after FROM interlock.rows r WHERE r.effect = finish_and_tell.key ORDER BY n;
END
$$;

CREATE OR REPLACE FUNCTION interlock.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC' SET intervalstyle = postgres
SET bytea_output = hex SET extra_float_digits = 3 SET lc_monetary = 'C' AS $$
BEGIN
    IF current_setting('interlock.finished', true) <> '' THEN
        RAISE EXCEPTION 'a row of % was changed after interlock.finish of the effect %: finish it last', TG_RELID::regclass,
            current_setting('interlock.key') USING ERRCODE = 'IL001';
    END IF;
    INSERT INTO interlock.rows (effect, tab, before, after)
        VALUES (current_setting('interlock.key'), format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME), OLD::text, NEW::text);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION interlock.capture_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC' SET intervalstyle = postgres
SET bytea_output = hex SET extra_float_digits = 3 SET lc_monetary = 'C' SET row_security = off AS $$
BEGIN
    IF current_setting('interlock.finished', true) <> '' THEN
        RAISE EXCEPTION '% was emptied after interlock.finish of the effect %: finish it last', TG_RELID::regclass,
            current_setting('interlock.key') USING ERRCODE = 'IL001';
    END IF;
    EXECUTE format('INSERT INTO interlock.rows (effect, tab, before) SELECT $1, %1$L, (t.*)::text FROM ONLY %1$s t',
        format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)) USING current_setting('interlock.key');
    RETURN NULL;
END
$$;

-- Cover the ordinary tables of the schemas; returns those that can't be, because nothing tells their rows apart.
CREATE OR REPLACE FUNCTION interlock.cover(schemas text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rel record;
    left_out text[] := '{}';
BEGIN
    DELETE FROM interlock.covered v WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = v.id);
    FOR rel IN
        SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS tab
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname = ANY (schemas) ORDER BY c.oid
    LOOP
        IF interlock.key_of(rel.oid) IS NULL OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = rel.oid) THEN
            left_out := left_out || rel.tab;
        ELSE
            IF NOT interlock.is_covered(rel.oid) THEN  -- otherwise its writers need not be waited for
                EXECUTE format($sql$
                    CREATE OR REPLACE TRIGGER interlock_row AFTER INSERT OR UPDATE OR DELETE ON %1$s FOR EACH ROW
                        WHEN (current_setting('interlock.key', true) <> '') EXECUTE FUNCTION interlock.capture();
                    CREATE OR REPLACE TRIGGER interlock_truncate BEFORE TRUNCATE ON %1$s FOR EACH STATEMENT
                        WHEN (current_setting('interlock.key', true) <> '')
                        EXECUTE FUNCTION interlock.capture_truncate();
                    ALTER TABLE %1$s ENABLE ALWAYS TRIGGER interlock_row;
                    ALTER TABLE %1$s ENABLE ALWAYS TRIGGER interlock_truncate;
                $sql$, rel.tab);
            END IF;
            INSERT INTO interlock.covered (id, tab) VALUES (rel.oid, rel.tab)
                ON CONFLICT (id) DO UPDATE SET tab = excluded.tab;
            PERFORM interlock.read_form(rel.oid);
        END IF;
    END LOOP;
    RETURN left_out;
END
$$;
