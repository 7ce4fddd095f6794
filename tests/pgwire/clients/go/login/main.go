// Logins by both drivers, each with its own SCRAM: the file is a list of drivers and addresses.
package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"os"

	"clients/given"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	given.Must(err)
	var asked [][2]string
	given.Must(json.Unmarshal(text, &asked))
	told := []string{}
	for _, each := range asked {
		told = append(told, login(each[0], each[1]))
	}
	given.Must(json.NewEncoder(os.Stdout).Encode(told))
}

func login(driver, address string) string {
	db, err := sql.Open(driver, address)
	given.Must(err)
	defer db.Close()
	err = db.Ping()
	var one *pq.Error
	var other *pgconn.PgError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &one):
		return string(one.Code)
	case errors.As(err, &other):
		return other.Code
	default:
		return err.Error()
	}
}
