// fasthttp with encoding/json, as its user writes it. FASTHTTP PORT
package main

import (
	"encoding/json"
	"os"

	"github.com/valyala/fasthttp"

	"herald/bench/events"
)

type message = events.Event[events.UserCreated]

var last string

func fail(ctx *fasthttp.RequestCtx, status int, text string) {
	answer, _ := json.Marshal(map[string]string{"error": text})
	ctx.Error(string(answer), status)
	ctx.SetContentType("application/json")
}

func handle(ctx *fasthttp.RequestCtx) {
	if !ctx.IsPost() || string(ctx.Path()) != "/event" {
		fail(ctx, fasthttp.StatusNotFound, "not found")
		return
	}
	msg := new(message)
	if err := json.Unmarshal(ctx.PostBody(), msg); err != nil {
		fail(ctx, fasthttp.StatusBadRequest, err.Error())
		return
	}
	last = msg.Payload.UserID
	ctx.SetContentType("application/json")
	ctx.SetBodyString(`{"status":"success"}`)
}

func main() {
	if err := fasthttp.ListenAndServe("127.0.0.1:"+os.Args[1], handle); err != nil {
		panic(err)
	}
}
