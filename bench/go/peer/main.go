// The peer of decode and encode for encoding/json, used as the seed uses it, and for sonic. The protocol
// and the arguments are those of bench/peers/peer.c:
//
//	PEER encoding_json|sonic decode|encode TYPE FILE BATCH_MS
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"time"

	"github.com/bytedance/sonic"

	"herald/bench/events"
)

type library struct {
	unmarshal func(data []byte, value any) error
	marshal   func(value any) ([]byte, error)
}

// sonic checks strings only when it is told to.
var checkingSonic = sonic.Config{ValidateString: true}.Froze()

var libraries = map[string]library{
	"encoding_json": {json.Unmarshal, json.Marshal},
	"sonic":         {checkingSonic.Unmarshal, checkingSonic.Marshal},
}

var types = map[string]func(library, bool, []byte, time.Duration){
	"user_created":       serve[events.UserCreated],
	"order_placed":       serve[events.OrderPlaced],
	"telemetry":          serve[events.Telemetry],
	"article":            serve[events.Article],
	"batch":              serve[events.Batch],
	"mixed_orders":       serve[events.MixedOrders],
	"catalog":            serve[events.Catalog],
	"integers":           serve[events.Integers],
	"doubles":            serve[events.Doubles],
	"strings":            serve[events.Strings],
	"pull_request_event": serve[events.PullRequestEvent],
	"mixture":            serve[events.Mixture],
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(work func(), events int) time.Duration {
	start := time.Now()
	for i := 0; i < events; i++ {
		work()
	}
	return time.Since(start)
}

// calibrate says how many events take at least as long as a batch should, also when seen again: sonic
// compiles at the first.
func calibrate(work func(), batch time.Duration) int {
	for events := 1; ; {
		took := measure(work, events)
		if took >= batch {
			took = measure(work, events)
		}
		if took >= batch {
			return events
		}
		events *= int(min(64, max(2, batch/max(took, 1)+1)))
	}
}

func allocationsPerEvent(work func()) float64 {
	const events = 1000
	var before, after runtime.MemStats
	measure(work, events/10)
	runtime.ReadMemStats(&before)
	measure(work, events)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / events
}

func serve[P any](with library, encode bool, data []byte, batch time.Duration) {
	message := new(events.Event[P])
	var encoded []byte
	decode := func() {
		message = new(events.Event[P])
		must(with.unmarshal(data, message))
	}
	work := decode
	if encode {
		decode()
		work = func() {
			var err error
			encoded, err = with.marshal(message)
			must(err)
		}
	}
	count := 0
	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		switch request := requests.Text(); request {
		case "run":
			if count == 0 {
				count = calibrate(work, batch)
			}
			fmt.Printf("%.4f\n", float64(measure(work, count).Nanoseconds())/float64(count))
		case "check":
			work()
			check(encoded, reflect.ValueOf(*message))
		case "allocs":
			fmt.Printf("%.3f\n", allocationsPerEvent(work))
		default:
			must(fmt.Errorf("not a request: %s", request))
		}
	}
}

func check(encoded []byte, message reflect.Value) {
	out := bufio.NewWriter(os.Stdout)
	if encoded != nil {
		fmt.Fprintf(out, "%s\n", encoded)
	} else {
		events.Dump(out, message)
	}
	fmt.Fprintln(out, "end")
	must(out.Flush())
}

func main() {
	if len(os.Args) < 6 {
		must(fmt.Errorf("usage: peer encoding_json|sonic decode|encode TYPE FILE BATCH_MS"))
	}
	data, err := os.ReadFile(os.Args[4])
	must(err)
	batch, err := strconv.Atoi(os.Args[5])
	must(err)
	with := libraries[os.Args[1]]
	events.Unmarshal = with.unmarshal
	types[os.Args[3]](with, os.Args[2] == "encode", data,
		time.Duration(batch)*time.Millisecond)
}
