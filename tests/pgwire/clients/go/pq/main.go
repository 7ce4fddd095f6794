// Lib/pq behind database/sql: how Grafana's editor, and many programs of Go, ask PostgreSQL.
package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"clients/given"

	"github.com/lib/pq"
)

func main() {
	address, asked := given.Arguments()
	told := given.Told{}
	db := opened(address)
	defer db.Close()

	questions, described := map[string]any{}, map[string]any{}
	for name, text := range asked.Questions {
		questions[name], described[name] = rows(db.Query(text))
	}
	told["questions"], told["described"] = questions, described
	typed, types := rows(db.Query(asked.Typed))
	told["typed"] = given.Row{typed, types}
	binary := opened(address + "&binary_parameters=yes")
	defer binary.Close()

	// Without parameters database/sql asks simply; with one it prepares, or sends it in binary.
	told["parameters"] = given.Row{parameters(db), parameters(binary)}
	values := given.Row{}
	for _, each := range asked.Values {
		one, _ := rows(db.Query("SELECT " + each + " AS v"))
		two, _ := rows(db.Query("SELECT "+each+" AS v WHERE $1 = 1", 1))
		values = append(values, given.Row{one, two})
	}
	told["values"] = values

	prepared, err := db.Prepare("SELECT order_number FROM orders WHERE order_id = $1")
	given.Must(err)
	again := given.Row{}
	for number := 5; number < 9; number++ {
		found, _ := rows(prepared.Query(number))
		again = append(again, found)
	}
	given.Must(prepared.Close())
	told["prepared"] = again

	refused := map[string]any{}
	for name, text := range asked.Refused {
		refused[name] = refusedBy(db, text)
	}
	told["refused"] = refused
	told["cancelled"] = cancelled(db)
	told["large"] = large(db)
	told["cursor"] = cursor(db)
	told.Print()
}

func opened(address string) *sql.DB {
	db, err := sql.Open("postgres", address)
	given.Must(err)
	return db
}

func parameters(db *sql.DB) []given.Row {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	found := []given.Row{}
	for _, each := range []struct {
		text   string
		values []any
	}{
		{"SELECT order_id FROM orders WHERE order_status = $1 AND order_id < $2 ORDER BY 1", []any{"completed", 30}},
		{"SELECT COUNT(*) FROM orders WHERE order_date >= $1 AND is_gift = $2", []any{day, true}},
		{"SELECT COUNT(*) FROM orders WHERE total_amount > $1", []any{99.5}},
		{"SELECT COUNT(*) FROM orders WHERE order_status = ANY($1)", []any{pq.Array([]string{"completed", "shipped"})}},
		{"SELECT COUNT(*) FROM orders WHERE coupon_code IS NOT DISTINCT FROM $1", []any{nil}},
		{"SELECT $1::text || 'x', $2::int + 1", []any{"ä'\\", 41}},
	} {
		got, _ := rows(db.Query(each.text, each.values...))
		found = append(found, given.Row{got})
	}
	return found
}

func rows(found *sql.Rows, err error) (any, any) {
	if err != nil {
		return "ERROR " + err.Error(), nil
	}
	defer found.Close()
	columns, err := found.ColumnTypes()
	given.Must(err)
	types := []given.Row{}
	for _, each := range columns {
		precision, scale, sized := each.DecimalSize()
		length, long := each.Length()
		types = append(types, given.Row{each.Name(), each.DatabaseTypeName(), each.ScanType().String(), precision, scale, sized, length, long})
	}
	out := []given.Row{}
	for found.Next() {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for at := range values {
			targets[at] = &values[at]
		}
		if err := found.Scan(targets...); err != nil {
			return "ERROR " + err.Error(), nil
		}
		for at, each := range values {
			values[at] = given.Plain(each)
		}
		out = append(out, values)
	}
	if err := found.Err(); err != nil {
		return "ERROR " + err.Error(), nil
	}
	return out, types
}

func refusedBy(db *sql.DB, text string) any {
	transaction, err := db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	given.Must(err)
	defer transaction.Rollback()
	_, err = transaction.Exec(text)
	var said *pq.Error
	if !errors.As(err, &said) {
		return "no error"
	}
	return given.Row{said.Code, said.Severity, said.Position}
}

func cancelled(db *sql.DB) any {
	limited, stop := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer stop()
	begun := time.Now()
	_, err := db.ExecContext(limited, "SELECT pg_sleep(20)")
	code := "none"
	var said *pq.Error
	if errors.As(err, &said) {
		code = string(said.Code)
	}
	var one int
	given.Must(db.QueryRow("SELECT 1").Scan(&one))
	return given.Row{code, time.Since(begun) < 3*time.Second, one}
}

func large(db *sql.DB) any {
	found, err := db.Query("SELECT i.item_id, i.quantity, o.channel FROM (SELECT item_id, order_id, quantity FROM order_items) i " +
		"CROSS JOIN (SELECT channel FROM (VALUES ('a'), ('b')) v(channel)) o ORDER BY 1, 3")
	given.Must(err)
	defer found.Close()
	count, sum, words := 0, int64(0), []string{}
	for found.Next() {
		var id, quantity int64
		var channel string
		given.Must(found.Scan(&id, &quantity, &channel))
		count++
		sum += id*7 + quantity
		if count%10000 == 0 {
			words = append(words, channel)
		}
	}
	given.Must(found.Err())
	return given.Row{count, sum, strings.Join(words, "")}
}

func cursor(db *sql.DB) any {
	transaction, err := db.Begin()
	given.Must(err)
	defer transaction.Rollback()
	_, err = transaction.Exec("DECLARE chosen CURSOR FOR SELECT order_id FROM orders ORDER BY 1")
	given.Must(err)
	out := given.Row{}
	for range [3]int{} {
		found, _ := rows(transaction.Query("FETCH 7 FROM chosen"))
		out = append(out, found)
	}
	return out
}
