import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.*;
import java.util.*;

/**
 * Asks one server through pgJDBC and prints what it got, a line each: a topic, a tab, the answer. Arguments: the address
 * without "jdbc:", and a file with a question a line (name, tab, SQL).
 */
public class Client {
    private static final Set<String> OURS = Set.of("public");

    static void say(String topic, Object told) {
        System.out.println(topic + "\t" + String.valueOf(told).replace("\n", "\\n").replace("\t", "\\t"));
    }

    interface Part { void run() throws Exception; }

    /** What fails is an answer, too: the other parts still run. */
    static void part(String topic, Part part) {
        try {
            part.run();
        } catch (SQLException error) {
            say(topic, "ERROR " + error.getSQLState() + " " + error.getMessage());
        } catch (Exception error) {
            say(topic, "ERROR " + error);
        }
    }

    static String names(ResultSetMetaData told) throws SQLException {
        StringJoiner all = new StringJoiner(", ");
        for (int i = 1; i <= told.getColumnCount(); i++) all.add(told.getColumnLabel(i));
        return all.toString();
    }

    static String types(ResultSetMetaData told) throws SQLException {
        StringJoiner all = new StringJoiner(", ");
        for (int i = 1; i <= told.getColumnCount(); i++) {
            all.add(told.getColumnLabel(i) + " " + told.getColumnTypeName(i) + "/" + told.getColumnType(i) + " "
                + told.getColumnClassName(i) + " " + told.getPrecision(i) + "," + told.getScale(i));
        }
        return all.toString();
    }

    static String row(ResultSet rows) throws SQLException {
        StringJoiner all = new StringJoiner("|");
        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) all.add(String.valueOf(rows.getString(i)));
        return all.toString();
    }

    /** Of the catalog's answers only what is in `public`: the newer PostgreSQL of ours has other tables of its own. */
    static void catalog(String topic, ResultSet rows) throws SQLException {
        ResultSetMetaData meta = rows.getMetaData();
        say(topic + " names", names(meta));
        int count = 0;
        while (rows.next()) {
            StringJoiner all = new StringJoiner("|");
            boolean ours = true;
            for (int i = 1; i <= meta.getColumnCount(); i++) {
                String name = meta.getColumnLabel(i).toUpperCase();
                if (name.equals("TABLE_SCHEM") && rows.getString(i) != null && !OURS.contains(rows.getString(i))) ours = false;
                if (name.equals("CARDINALITY") || name.equals("PAGES") || name.equals("GRANTOR") || name.equals("GRANTEE")) continue;
                all.add(String.valueOf(rows.getString(i)));
            }
            if (ours) say(topic + " " + count++, all);
        }
        rows.close();
    }

    public static void main(String[] arguments) throws Exception {
        String address = "jdbc:" + arguments[0];
        Properties settings = new Properties();
        settings.put("user", "reader");
        settings.put("password", "x");
        settings.put("ApplicationName", "a program in Java");
        List<String> questions = Files.readAllLines(Path.of(arguments[1]));
        try (Connection con = DriverManager.getConnection(address, settings)) {
            DatabaseMetaData meta = con.getMetaData();
            say("product", meta.getDatabaseProductName());
            say("version", meta.getDatabaseMajorVersion() >= 15);
            part("catalogs", () -> { ResultSet r = meta.getCatalogs(); boolean seen = false; while (r.next()) seen |= r.getString(1).equals("storefront"); say("catalogs", seen); });
            part("schemas", () -> { ResultSet r = meta.getSchemas(); List<String> l = new ArrayList<>(); while (r.next()) l.add(r.getString(1)); say("schemas", l); });
            part("table types", () -> catalog("table types", meta.getTableTypes()));
            part("tables", () -> catalog("tables", meta.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"})));
            part("all tables", () -> catalog("all tables", meta.getTables("storefront", null, null, null)));
            for (String table : List.of("orders", "customers", "sales", "nothing_here")) {
                part("columns", () -> catalog("columns of " + table, meta.getColumns(null, "public", table, "%")));
                part("keys", () -> catalog("primary keys of " + table, meta.getPrimaryKeys(null, "public", table)));
                part("imported", () -> catalog("imported keys of " + table, meta.getImportedKeys(null, "public", table)));
                part("exported", () -> catalog("exported keys of " + table, meta.getExportedKeys(null, "public", table)));
                part("indexes", () -> catalog("indexes of " + table, meta.getIndexInfo(null, "public", table, false, true)));
                part("best row", () -> catalog("best row of " + table, meta.getBestRowIdentifier(null, "public", table, DatabaseMetaData.bestRowSession, true)));
                part("version columns", () -> catalog("version columns of " + table, meta.getVersionColumns(null, "public", table)));
            }
            part("cross", () -> catalog("cross reference", meta.getCrossReference(null, "public", "customers", null, "public", "orders")));
            part("functions", () -> catalog("functions", meta.getFunctions(null, "pg_catalog", "date_trunc")));
            part("procedures", () -> catalog("procedures", meta.getProcedures(null, "public", "%")));
            part("type info", () -> {
                ResultSet r = meta.getTypeInfo(); Map<String, String> found = new TreeMap<>();
                while (r.next()) found.put(r.getString(1), r.getString(2));
                for (String name : List.of("int4", "int8", "numeric", "text", "timestamp", "bool", "float8", "date", "_text", "json")) say("type " + name, found.get(name));
            });
            part("user types", () -> catalog("user types", meta.getUDTs(null, "public", "%", null)));
            part("limits", () -> say("limits", meta.getMaxColumnNameLength() + " " + meta.getSQLKeywords().length() / 1000));
            part("read only", () -> say("client info", con.getClientInfo("ApplicationName")));

            for (String line : questions) {
                String[] pair = line.split("\t", 2);
                part(pair[0], () -> {
                    try (Statement statement = con.createStatement(); ResultSet rows = statement.executeQuery(pair[1])) {
                        say("question " + pair[0], names(rows.getMetaData()));
                        int n = 0;
                        while (rows.next()) say("question " + pair[0] + " " + n++, row(rows));
                    }
                });
            }
            part("typed", () -> {
                try (Statement statement = con.createStatement();
                     ResultSet rows = statement.executeQuery("SELECT order_id, order_number, order_date, total_amount, is_gift, shipped_at FROM orders ORDER BY order_id LIMIT 50")) {
                    say("typed", types(rows.getMetaData()));
                    while (rows.next()) say("typed", rows.getLong(1) + " " + rows.getObject(3, java.time.LocalDateTime.class) + " " + rows.getBigDecimal(4) + " " + rows.getBoolean(5) + " " + rows.getTimestamp(6));
                }
            });
            part("prepared", () -> {
                // After the fifth time the driver prepares by name and asks for binary.
                try (PreparedStatement one = con.prepareStatement("SELECT order_id, order_number, total_amount, order_date, is_gift FROM orders WHERE order_id = ? OR total_amount = ?")) {
                    for (int n = 1; n <= 12; n++) {
                        one.setLong(1, n);
                        one.setBigDecimal(2, new BigDecimal("-1.00"));
                        try (ResultSet rows = one.executeQuery()) { rows.next(); say("prepared " + n, rows.getLong(1) + " " + row(rows)); }
                    }
                    say("parameters", one.getParameterMetaData().getParameterCount() + " " + one.getParameterMetaData().getParameterTypeName(1) + " " + one.getParameterMetaData().getParameterTypeName(2));
                    say("described", types(one.getMetaData()));
                }
            });
            part("places", () -> {
                for (String text : List.of(
                    "SELECT order_id, order_status AS s, order_id + 1, count(*) OVER () FROM orders LIMIT 1",
                    "SELECT t.s, t.order_id FROM (SELECT order_id, order_status AS s FROM orders) t LIMIT 1",
                    "SELECT c.city, o.order_id FROM orders o JOIN customers c ON o.customer_id = c.customer_id LIMIT 1")) {
                    try (Statement statement = con.createStatement(); ResultSet rows = statement.executeQuery(text)) {
                        ResultSetMetaData told = rows.getMetaData();
                        for (int n = 1; n <= told.getColumnCount(); n++)
                            say("places " + n, told.getSchemaName(n) + "." + told.getTableName(n) + "." + told.getColumnName(n) + " " + told.isNullable(n) + " " + told.isAutoIncrement(n));
                    }
                }
            });
            part("kinds of parameters", () -> {
                try (PreparedStatement one = con.prepareStatement("SELECT COUNT(*) FROM orders WHERE order_date >= ? AND order_status = ? AND is_gift = ? AND (coupon_code = ? OR ?::text IS NULL)")) {
                    one.setTimestamp(1, Timestamp.valueOf("2026-01-01 00:00:00"));
                    one.setString(2, "completed");
                    one.setBoolean(3, false);
                    one.setNull(4, Types.VARCHAR);
                    one.setString(5, null);
                    try (ResultSet rows = one.executeQuery()) { rows.next(); say("kinds of parameters", rows.getLong(1)); }
                }
            });
            part("array", () -> {
                try (PreparedStatement one = con.prepareStatement("SELECT COUNT(*) FROM orders WHERE order_status = ANY (?)")) {
                    one.setArray(1, con.createArrayOf("text", new Object[] {"completed", "shipped"}));
                    try (ResultSet rows = one.executeQuery()) { rows.next(); say("array", rows.getLong(1)); }
                }
            });
            part("cursor", () -> {
                con.setAutoCommit(false);
                try (Statement statement = con.createStatement()) {
                    statement.setFetchSize(1000);
                    long count = 0, sum = 0;
                    try (ResultSet rows = statement.executeQuery("SELECT item_id, quantity FROM order_items")) {
                        while (rows.next()) { count++; sum += rows.getLong(2); }
                    }
                    say("cursor", count + " " + sum);
                }
                con.commit();
                con.setAutoCommit(true);
            });
            part("scrolled", () -> {
                try (Statement statement = con.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
                     ResultSet rows = statement.executeQuery("SELECT order_id FROM orders ORDER BY order_id LIMIT 20")) {
                    rows.last(); String told = rows.getRow() + " " + rows.getLong(1); rows.absolute(5); say("scrolled", told + " " + rows.getLong(1));
                }
            });
            part("most rows", () -> {
                try (Statement statement = con.createStatement()) {
                    statement.setMaxRows(7);
                    int n = 0;
                    try (ResultSet rows = statement.executeQuery("SELECT order_id FROM orders")) { while (rows.next()) n++; }
                    say("most rows", n);
                }
            });
            part("several", () -> {
                try (Statement statement = con.createStatement()) {
                    boolean more = statement.execute("SELECT 1; SELECT 2, 3");
                    statement.getResultSet();
                    say("several", more + " " + statement.getMoreResults() + " " + statement.getResultSet().getMetaData().getColumnCount());
                }
            });
            part("cancel", () -> {
                try (Statement statement = con.createStatement()) {
                    new Thread(() -> { try { Thread.sleep(400); statement.cancel(); } catch (Exception error) { say("cancel", error); } }).start();
                    long begun = System.nanoTime();
                    try { statement.execute("SELECT pg_sleep(20)"); say("cancel", "was not"); }
                    catch (SQLException error) { say("cancel", error.getSQLState() + " " + ((System.nanoTime() - begun) / 1_000_000 < 2000)); }
                }
            });
            part("time limit", () -> {
                try (Statement statement = con.createStatement()) {
                    statement.setQueryTimeout(1);
                    try { statement.execute("SELECT pg_sleep(20)"); say("time limit", "was not"); }
                    catch (SQLException error) { say("time limit", error.getSQLState()); }
                }
            });
            part("read only", () -> {
                con.setReadOnly(true);
                con.setAutoCommit(false);
                con.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
                try (Statement statement = con.createStatement()) {
                    Savepoint here = con.setSavepoint();
                    try { statement.executeUpdate("DELETE FROM orders"); } catch (SQLException error) { say("write", error.getSQLState()); }
                    con.rollback(here);
                    try (ResultSet rows = statement.executeQuery("SELECT 1")) { rows.next(); say("after it", rows.getInt(1)); }
                }
                con.commit();
            });
            say("valid", con.isValid(5));
            say("schema", con.getSchema() + " " + con.getCatalog());
        }
        for (String option : List.of("preferQueryMode=simple", "prepareThreshold=1&binaryTransfer=true", "prepareThreshold=0", "defaultRowFetchSize=100", "reWriteBatchedInserts=true&stringtype=unspecified", "assumeMinServerVersion=9.0&readOnly=true&readOnlyMode=always")) {
            part(option, () -> {
                try (Connection con = DriverManager.getConnection(address + "?" + option, settings);
                     PreparedStatement one = con.prepareStatement("SELECT order_id, order_date, total_amount, is_gift, ship_country FROM orders WHERE order_id <= ? ORDER BY 1")) {
                    for (int n = 0; n < 3; n++) {
                        one.setInt(1, 250);
                        try (ResultSet rows = one.executeQuery()) { int hash = 0, count = 0; while (rows.next()) { count++; hash = hash * 31 + row(rows).hashCode(); } say(option, count + " " + hash); }
                    }
                }
            });
        }
    }
}
