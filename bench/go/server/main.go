// Gin with the steps of the seed: read the body, unmarshal, before, business function, after, answer.
// SERVER PORT
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

	"herald/bench/events"
)

type message = events.Event[events.UserCreated]

// handler is the seed's interface.
type handler interface {
	UnmarshalEventMessage(data []byte) (*message, error)
	BeforeHandle(ctx context.Context, msg *message) error
	AfterHandle(ctx context.Context, msg *message, result error) error
}

type plain struct{}

func (plain) UnmarshalEventMessage(data []byte) (*message, error) {
	msg := new(message)
	if err := json.Unmarshal(data, msg); err != nil {
		return nil, err
	}
	return msg, nil
}

func (plain) BeforeHandle(context.Context, *message) error { return nil }

func (plain) AfterHandle(context.Context, *message, error) error { return nil }

var last string

func onUserCreated(_ *gin.Context, msg *message) error {
	last = msg.Payload.UserID
	return nil
}

func handle(h handler, business func(*gin.Context, *message) error) gin.HandlerFunc {
	fail := func(ctx *gin.Context, status int, text string) {
		ctx.JSON(status, gin.H{"error": text})
	}
	return func(ctx *gin.Context) {
		data, err := ctx.GetRawData()
		if err != nil {
			fail(ctx, http.StatusBadRequest, "Failed to read request body")
			return
		}
		msg, err := h.UnmarshalEventMessage(data)
		if err != nil {
			fail(ctx, http.StatusBadRequest, err.Error())
			return
		}
		if err := h.BeforeHandle(ctx, msg); err != nil {
			fail(ctx, http.StatusInternalServerError, err.Error())
			return
		}
		result := business(ctx, msg)
		if err := h.AfterHandle(ctx, msg, result); err != nil {
			result = err
		}
		if result != nil {
			fail(ctx, http.StatusInternalServerError, result.Error())
			return
		}
		ctx.JSON(http.StatusOK, gin.H{"status": "success"})
	}
}

func main() {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/event", handle(plain{}, onUserCreated))
	if err := engine.Run("127.0.0.1:" + os.Args[1]); err != nil {
		panic(err)
	}
}
