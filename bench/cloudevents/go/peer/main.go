// The peer of `./dev bench cloudevents` for the SDK of CloudEvents for Go; arguments and protocol are
// those of bench/cloudevents/herald.c.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

type order struct {
	OrderID    string `json:"order_id"`
	TotalCents int64  `json:"total_cents"`
	Lines      []line `json:"lines"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) (http.Header, []byte) {
	file, err := os.ReadFile(path)
	must(err)
	head, body, _ := bytes.Cut(file, []byte("\n\n"))
	header := http.Header{}
	for _, text := range strings.Split(string(head), "\n") {
		name, value, _ := strings.Cut(text, ": ")
		header.Add(name, value)
	}
	return header, body
}

func decode(header http.Header, body []byte) (*event.Event, order) {
	message := cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(body)))
	decoded, err := binding.ToEvent(context.Background(), message)
	must(err)
	var data order
	must(decoded.DataAs(&data))
	return decoded, data
}

func main() {
	header, body := read(os.Args[2])
	milliseconds, err := strconv.Atoi(os.Args[3])
	must(err)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "check" {
			decoded, data := decode(header, body)
			fmt.Print(decoded.ID(), " ", decoded.Source(), " ", decoded.Type(), " ", decoded.Subject(), " ",
				decoded.Time().Format(time.RFC3339Nano), " ", decoded.Extensions()["traceparent"], " ",
				data.OrderID, " ", data.TotalCents)
			for _, one := range data.Lines {
				fmt.Printf(" %s:%d", one.SKU, one.Quantity)
			}
			fmt.Println()
			continue
		}
		begin, count := time.Now(), 0
		for time.Since(begin) < time.Duration(milliseconds)*time.Millisecond {
			for range 256 {
				decode(header, body)
			}
			count += 256
		}
		fmt.Printf("%.2f\n", float64(time.Since(begin).Nanoseconds())/float64(count))
	}
}
