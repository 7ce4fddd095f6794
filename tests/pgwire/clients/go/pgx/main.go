// Pgx, by itself and behind database/sql: what newer programs of Go use, Grafana among them.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	"clients/given"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
)

var modes = map[string]pgx.QueryExecMode{
	"cache statement": pgx.QueryExecModeCacheStatement,
	"cache describe":  pgx.QueryExecModeCacheDescribe,
	"describe exec":   pgx.QueryExecModeDescribeExec,
	"exec":            pgx.QueryExecModeExec,
	"simple protocol": pgx.QueryExecModeSimpleProtocol,
}

func main() {
	address, asked := given.Arguments()
	ctx := context.Background()
	con, err := pgx.Connect(ctx, address)
	given.Must(err)
	defer con.Close(ctx)
	told := given.Told{}

	for mode, how := range modes {
		questions := map[string]any{}
		for name, text := range asked.Questions {
			questions[name] = rows(con.Query(ctx, text, how))
		}
		told["questions "+mode] = questions
		told["typed "+mode] = rows(con.Query(ctx, asked.Typed, how))
		told["parameters "+mode] = parameters(ctx, con, how)
		values := given.Row{}
		for _, each := range asked.Values {
			values = append(values, rows(con.Query(ctx, "SELECT "+each+" AS v", how)))
		}
		told["values "+mode] = values
	}

	refused := map[string]any{}
	for name, text := range asked.Refused {
		refused[name] = refusedBy(ctx, con, text)
	}
	told["refused"] = refused
	told["batch"] = batch(ctx, con)
	told["copied"] = copied(ctx, con)
	told["large"] = large(ctx, con)
	told["cancelled"] = cancelled(ctx, address)
	told["database/sql"] = standard(address)
	told.Print()
}

func rows(found pgx.Rows, err error) any {
	if err != nil {
		return "ERROR " + err.Error()
	}
	defer found.Close()
	out := []given.Row{}
	for found.Next() {
		values, err := found.Values()
		if err != nil {
			return "ERROR " + err.Error()
		}
		for at, each := range values {
			values[at] = given.Plain(each)
		}
		out = append(out, values)
	}
	if err := found.Err(); err != nil {
		return "ERROR " + err.Error()
	}
	columns := given.Row{}
	for _, each := range found.FieldDescriptions() {
		columns = append(columns, given.Row{each.Name, each.DataTypeOID, each.TypeModifier, each.DataTypeSize})
	}
	return given.Row{columns, out, found.CommandTag().String()}
}

func parameters(ctx context.Context, con *pgx.Conn, how pgx.QueryExecMode) any {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return given.Row{
		rows(con.Query(ctx, "SELECT order_id FROM orders WHERE order_status = $1 AND order_id < $2 ORDER BY 1", how, "completed", 30)),
		rows(con.Query(ctx, "SELECT COUNT(*) FROM orders WHERE order_date >= $1 AND is_gift = $2", how, day, true)),
		rows(con.Query(ctx, "SELECT COUNT(*) FROM orders WHERE total_amount > $1", how, 99.5)),
		rows(con.Query(ctx, "SELECT COUNT(*) FROM orders WHERE order_status = ANY($1::text[])", how, []string{"completed", "shipped"})),
		rows(con.Query(ctx, "SELECT COUNT(*) FROM orders WHERE coupon_code IS NOT DISTINCT FROM $1", how, nil)),
		rows(con.Query(ctx, "SELECT $1::text || 'x', $2::int + 1", how, "ä'\\", 41)),
	}
}

func refusedBy(ctx context.Context, con *pgx.Conn, text string) any {
	transaction, err := con.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	given.Must(err)
	defer transaction.Rollback(ctx)
	_, err = transaction.Exec(ctx, text)
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return "no error"
	}
	return given.Row{said.Code, said.Severity, said.Position}
}

func batch(ctx context.Context, con *pgx.Conn) any {
	asked := &pgx.Batch{}
	for number := 0; number < 7; number++ {
		asked.Queue("SELECT COUNT(*) FROM orders WHERE order_id % 7 = $1", number)
	}
	sent := con.SendBatch(ctx, asked)
	defer sent.Close()
	out := given.Row{}
	for number := 0; number < 7; number++ {
		out = append(out, rows(sent.Query()))
	}
	return out
}

func copied(ctx context.Context, con *pgx.Conn) any {
	var out bytes.Buffer
	tag, err := con.PgConn().CopyTo(ctx, &out, "COPY (SELECT order_id, notes FROM orders ORDER BY 1 LIMIT 500) TO STDOUT (FORMAT csv)")
	given.Must(err)
	return given.Row{tag.String(), out.String()}
}

func large(ctx context.Context, con *pgx.Conn) any {
	found, err := con.Query(ctx, "SELECT i.item_id, i.quantity FROM order_items i CROSS JOIN (VALUES (1), (2)) v(n) ORDER BY 1")
	given.Must(err)
	defer found.Close()
	count, sum := 0, int64(0)
	for found.Next() {
		var id, quantity int64
		given.Must(found.Scan(&id, &quantity))
		count++
		sum += id*7 + quantity
	}
	given.Must(found.Err())
	return given.Row{count, sum}
}

func cancelled(ctx context.Context, address string) any {
	con, err := pgx.Connect(ctx, address)
	given.Must(err)
	defer con.Close(ctx)
	go func() {
		time.Sleep(400 * time.Millisecond)
		given.Must(con.PgConn().CancelRequest(ctx))
	}()
	begun := time.Now()
	_, err = con.Exec(ctx, "SELECT pg_sleep(20)")
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return "no error"
	}
	return given.Row{said.Code, time.Since(begun) < 3*time.Second, rows(con.Query(ctx, "SELECT 1"))}
}

func standard(address string) any {
	db, err := sql.Open("pgx", address)
	given.Must(err)
	defer db.Close()
	var status string
	var count int64
	err = db.QueryRow("SELECT order_status, COUNT(*) FROM orders WHERE channel = $1 GROUP BY 1 ORDER BY 2 DESC LIMIT 1", "web").Scan(&status, &count)
	given.Must(err)
	return given.Row{status, count}
}
