// Package peer is what the programs of the peers share: the commands of bench/storing.py on stdin, one
// answer a line, and the HTTP server that answers 202 once an event is stored.
//
//	PEER VARIANT STORE EVENT    VARIANT is one that the program names, STORE a SQLite file or a
//	                            PostgreSQL URL, EVENT a file with the event
//
//	insert COUNT BATCH          store COUNT events, BATCH in each commit: COUNT SECONDS
//	work COUNT                  run COUNT events that are stored, until all are done: COUNT SECONDS
//	flow COUNT BATCH            insert them while they are run, until all are done: COUNT SECONDS
//	clear                       delete all events: 0 0
//	serve                       a server for POST /event: its port and 0
package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Event is what the functions of all peers decode.
type Event struct {
	EventType string            `json:"event_type"`
	Timestamp time.Time         `json:"timestamp"`
	Payload   UserCreated       `json:"payload"`
	Metadata  map[string]string `json:"metadata"`
}

type UserCreated struct {
	UserID   string `json:"user_id"`
	Username string `json:"username"`
}

// Queue is a library under test.
type Queue interface {
	// Insert stores the event count times in one commit.
	Insert(ctx context.Context, event []byte, count int) error
	// Start runs events, and calls done in the function of each.
	Start(ctx context.Context, done func()) (stop func() error, err error)
	// Unfinished is the number of events that are not done.
	Unfinished(ctx context.Context) (int, error)
	// Clear deletes all events, done or not. Nothing runs.
	Clear(ctx context.Context) error
}

// Open opens a store, and creates the library's tables.
type Open func(ctx context.Context, store string) (Queue, error)

// Fail prints an error and ends the program.
func Fail(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(1)
	}
}

// Decode is the work of the function of each peer.
func Decode(event []byte) error {
	var decoded Event
	if err := json.Unmarshal(event, &decoded); err != nil {
		return err
	}
	return Check(&decoded)
}

// Check is the function of peers whose library decodes the event.
func Check(event *Event) error {
	if event.Payload.UserID != "12345" {
		return fmt.Errorf("the event has changed: user_id %q", event.Payload.UserID)
	}
	return nil
}

type program struct {
	queue Queue
	event []byte
}

// Main runs the program with the variants that it has.
func Main(variants map[string]Open) {
	if len(os.Args) != 4 || variants[os.Args[1]] == nil {
		Fail(fmt.Errorf("usage: %s VARIANT STORE EVENT", os.Args[0]))
	}
	event, err := os.ReadFile(os.Args[3])
	Fail(err)
	ctx := context.Background()
	queue, err := variants[os.Args[1]](ctx, os.Args[2])
	Fail(err)
	p := program{queue, event}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		var numbers [2]int
		for i, word := range words[1:] {
			numbers[i], err = strconv.Atoi(word)
			Fail(err)
		}
		count, result, err := p.run(ctx, words[0], numbers[0], numbers[1])
		Fail(err)
		fmt.Println(count, result)
	}
}

func (p *program) run(ctx context.Context, command string, count, batch int) (int, float64, error) {
	start := time.Now()
	var err error
	switch command {
	case "insert":
		err = p.insert(ctx, count, batch)
	case "work":
		err = p.work(ctx, count, func() error { return nil })
	case "flow":
		err = p.work(ctx, count, func() error { return p.insert(ctx, count, batch) })
	case "clear":
		return 0, 0, p.queue.Clear(ctx)
	case "serve":
		port, err := p.serve(ctx)
		return port, 0, err
	default:
		err = fmt.Errorf("no command %q", command)
	}
	return count, time.Since(start).Seconds(), err
}

func (p *program) insert(ctx context.Context, count, batch int) error {
	for ; count > 0; count -= batch {
		if err := p.queue.Insert(ctx, p.event, min(batch, count)); err != nil {
			return err
		}
	}
	return nil
}

// work runs events until `count` functions have returned and nothing is left to do. Only then it looks
// into the database, so that looking costs nothing that counts.
func (p *program) work(ctx context.Context, count int, insert func() error) error {
	var runs atomic.Int64
	reached := make(chan struct{})
	stop, err := p.queue.Start(ctx, func() {
		if runs.Add(1) == int64(count) {
			close(reached)
		}
	})
	if err != nil {
		return err
	}
	if err := insert(); err != nil {
		return err
	}
	select {
	case <-reached:
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("after two minutes %d of %d events have run", runs.Load(), count)
	}
	for {
		unfinished, err := p.queue.Unfinished(ctx)
		if err != nil {
			return err
		}
		if unfinished == 0 {
			return stop()
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// serve answers 202 when an event is decoded and stored, as a service would that is made of net/http and
// the library.
func (p *program) serve(ctx context.Context) (int, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /event", func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(writer, request.Body, 1<<20))
		if err == nil {
			err = Decode(body)
		}
		writer.Header().Set("Content-Type", "application/json")
		if err != nil {
			writer.WriteHeader(http.StatusBadRequest)
			io.WriteString(writer, `{"error":"not decodable"}`)
			return
		}
		if err := p.queue.Insert(request.Context(), body, 1); err != nil {
			// At the end of a round the load generator leaves in the middle of a request.
			if request.Context().Err() == nil {
				fmt.Fprintln(os.Stderr, os.Args[0], err)
			}
			writer.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(writer, `{"error":"not stored"}`)
			return
		}
		writer.WriteHeader(http.StatusAccepted)
		io.WriteString(writer, `{"status":"accepted"}`)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	go func() { Fail(http.Serve(listener, mux)) }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
