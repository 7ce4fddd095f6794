// Package given reads what the test asks for, and writes what was told.
package given

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Given is the file that the test writes: statements by name.
type Given struct {
	Questions map[string]string `json:"questions"`
	Refused   map[string]string `json:"refused"`
	Typed     string            `json:"typed"`
	Values    []string          `json:"values"`
}

// Told is what is printed.
type Told map[string]any

// Row is a row whose values JSON can hold.
type Row []any

// Arguments gives the address and what the file says.
func Arguments() (string, Given) {
	var found Given
	text, err := os.ReadFile(os.Args[2])
	Must(err)
	Must(json.Unmarshal(text, &found))
	return os.Args[1], found
}

// Must ends the program where there is an error.
func Must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%T %v\n", err, err)
		os.Exit(1)
	}
}

// Plain is a value with its type of Go, so that 1 and "1" are not the same.
func Plain(value any) any {
	switch it := value.(type) {
	case nil:
		return nil
	case time.Time:
		return "time " + it.Format(time.RFC3339Nano)
	case []byte:
		return "bytes " + string(it)
	default:
		return fmt.Sprintf("%T %v", it, it)
	}
}

// Print writes it to the test.
func (told Told) Print() {
	Must(json.NewEncoder(os.Stdout).Encode(told))
}
