"""The application's own triggers, the same in both databases: an audit log, balances, counters, versions."""

SQLITE = """
CREATE TRIGGER bookings_made AFTER INSERT ON bookings BEGIN
    UPDATE customers SET bookings = bookings + 1, points = coalesce(points, 0) + 0.1 WHERE id = new.customer;
    INSERT INTO audit (what, about, note) VALUES ('booked', new.ref, new.state);
END;
CREATE TRIGGER bookings_gone AFTER DELETE ON bookings BEGIN
    UPDATE customers SET bookings = bookings - 1 WHERE id = old.customer;
    INSERT INTO audit (what, about, note) VALUES ('cancelled', old.ref, old.state);
END;
CREATE TRIGGER bookings_handed AFTER UPDATE OF customer ON bookings WHEN old.customer <> new.customer BEGIN
    UPDATE customers SET bookings = bookings - 1 WHERE id = old.customer;
    UPDATE customers SET bookings = bookings + 1 WHERE id = new.customer;
END;
CREATE TRIGGER transfers_made AFTER INSERT ON transfers BEGIN
    UPDATE accounts SET balance = balance - new.amount WHERE id = new.source;
    UPDATE accounts SET balance = balance + new.amount WHERE id = new.target;
END;
CREATE TRIGGER accounts_moved AFTER UPDATE OF balance ON accounts WHEN old.balance <> new.balance BEGIN
    INSERT INTO audit (what, about, note) VALUES ('balance', new.iban, new.balance - old.balance);
END;
CREATE TRIGGER seats_taken AFTER UPDATE OF booking ON seats WHEN (old.booking IS NULL) <> (new.booking IS NULL) BEGIN
    UPDATE flights SET free = free + CASE WHEN new.booking IS NULL THEN 1 ELSE -1 END
    WHERE code = new.code AND day = new.day;
END;
CREATE TRIGGER stays_made AFTER INSERT ON stays BEGIN UPDATE hotels SET rooms = rooms - 1 WHERE id = new.hotel; END;
CREATE TRIGGER stays_gone AFTER DELETE ON stays BEGIN UPDATE hotels SET rooms = rooms + 1 WHERE id = old.hotel; END;
CREATE TRIGGER vouchers_changed AFTER UPDATE ON vouchers WHEN new.version = old.version BEGIN
    UPDATE vouchers SET version = version + 1 WHERE code = new.code;
END;
CREATE TRIGGER customers_gone BEFORE DELETE ON customers BEGIN
    INSERT INTO audit (what, about, note) VALUES ('left', old.email, old.tier);
END;
"""

POSTGRES = """
CREATE FUNCTION bookings_made() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE customers SET bookings = bookings + 1, points = coalesce(points, 0) + 0.1 WHERE id = new.customer;
    INSERT INTO audit (what, about, note) VALUES ('booked', new.ref, new.state);
    RETURN NULL;
END $$;
CREATE TRIGGER bookings_made AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION bookings_made();
CREATE FUNCTION bookings_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE customers SET bookings = bookings - 1 WHERE id = old.customer;
    INSERT INTO audit (what, about, note) VALUES ('cancelled', old.ref, old.state);
    RETURN NULL;
END $$;
CREATE TRIGGER bookings_gone AFTER DELETE ON bookings FOR EACH ROW EXECUTE FUNCTION bookings_gone();
CREATE FUNCTION bookings_handed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE customers SET bookings = bookings - 1 WHERE id = old.customer;
    UPDATE customers SET bookings = bookings + 1 WHERE id = new.customer;
    RETURN NULL;
END $$;
CREATE TRIGGER bookings_handed AFTER UPDATE OF customer ON bookings
    FOR EACH ROW WHEN (old.customer <> new.customer) EXECUTE FUNCTION bookings_handed();
CREATE FUNCTION transfers_made() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE accounts SET balance = balance - new.amount WHERE id = new.source;
    UPDATE accounts SET balance = balance + new.amount WHERE id = new.target;
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_made AFTER INSERT ON transfers FOR EACH ROW EXECUTE FUNCTION transfers_made();
CREATE FUNCTION accounts_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (what, about, note) VALUES ('balance', new.iban, new.balance - old.balance);
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_moved AFTER UPDATE OF balance ON accounts
    FOR EACH ROW WHEN (old.balance <> new.balance) EXECUTE FUNCTION accounts_moved();
CREATE FUNCTION seats_taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE flights SET free = free + CASE WHEN new.booking IS NULL THEN 1 ELSE -1 END
    WHERE code = new.code AND day = new.day;
    RETURN NULL;
END $$;
CREATE TRIGGER seats_taken AFTER UPDATE OF booking ON seats
    FOR EACH ROW WHEN ((old.booking IS NULL) <> (new.booking IS NULL)) EXECUTE FUNCTION seats_taken();
CREATE FUNCTION stays_made() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE hotels SET rooms = rooms - 1 WHERE id = new.hotel;
    RETURN NULL;
END $$;
CREATE TRIGGER stays_made AFTER INSERT ON stays FOR EACH ROW EXECUTE FUNCTION stays_made();
CREATE FUNCTION stays_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE hotels SET rooms = rooms + 1 WHERE id = old.hotel;
    RETURN NULL;
END $$;
CREATE TRIGGER stays_gone AFTER DELETE ON stays FOR EACH ROW EXECUTE FUNCTION stays_gone();
CREATE FUNCTION vouchers_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    new.version = old.version + 1;
    RETURN new;
END $$;
CREATE TRIGGER vouchers_changed BEFORE UPDATE ON vouchers
    FOR EACH ROW WHEN (new.version = old.version) EXECUTE FUNCTION vouchers_changed();
CREATE FUNCTION customers_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit (what, about, note) VALUES ('left', old.email, old.tier);
    RETURN old;
END $$;
CREATE TRIGGER customers_gone BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION customers_gone();
"""
