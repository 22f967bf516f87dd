// Go's client with the steps of the seed's callback handler: a goroutine per callback with a timeout, a
// GET, the answer read to its end. The client keeps as many connections as are in flight, where the
// default one would keep two; and nothing is logged. The arguments and the protocol are those of
// bench/callback/herald.c: CALLBACK PORT IN_FLIGHT
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

var (
	mutex     sync.Mutex
	latencies []uint32 // in microseconds
)

func deliver(client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}

func run(client *http.Client, url string, inFlight int, seconds float64) {
	free := make(chan struct{}, inFlight)
	latencies = latencies[:0]
	events := 0
	start := time.Now()
	for ; time.Since(start).Seconds() < seconds; events++ {
		free <- struct{}{}
		began := time.Now()
		go func() {
			if err := deliver(client, url); err != nil {
				fmt.Fprintln(os.Stderr, "callback:", err)
				os.Exit(1)
			}
			mutex.Lock()
			if len(latencies) < cap(latencies) {
				latencies = append(latencies, uint32(time.Since(began).Microseconds()))
			}
			mutex.Unlock()
			<-free
		}()
	}
	for i := 0; i < inFlight; i++ {
		free <- struct{}{}
	}
	took := time.Since(start).Seconds()
	slices.Sort(latencies)
	fmt.Printf("%d %.6f %d %d\n", events, took, latencies[len(latencies)/2],
		latencies[len(latencies)*99/100])
}

func main() {
	inFlight, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	url := "http://127.0.0.1:" + os.Args[1] + "/callback"
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConns:        inFlight,
		MaxIdleConnsPerHost: inFlight,
		DisableCompression:  true,
	}}
	latencies = make([]uint32, 0, 500000)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		seconds, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			panic(err)
		}
		run(client, url, inFlight, seconds)
	}
}
