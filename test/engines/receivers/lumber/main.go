// Lumberjack v2 by Elastic's own server library: each event, as it came, is a line of a file; a batch is acknowledged once it is written.
//
//	lumber-receiver ADDRESS FILE [CERT KEY]
package main

import (
	"crypto/tls"
	"encoding/json"
	"log"
	"os"

	"github.com/elastic/go-lumber/server"
)

func main() {
	options := []server.Option{server.V1(false), server.V2(true), server.JSONDecoder(keep)}
	if len(os.Args) == 5 {
		pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
		must(err)
		options = append(options, server.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	}
	file, err := os.OpenFile(os.Args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(err)
	receiver, err := server.ListenAndServe(os.Args[1], options...)
	must(err)
	for batch := range receiver.ReceiveChan() {
		var lines []byte
		for _, event := range batch.Events {
			lines = append(append(lines, event.(string)...), '\n')
		}
		_, err := file.Write(lines)
		must(err)
		batch.ACK()
	}
}

// The text itself, which must be JSON.
func keep(text []byte, into interface{}) error {
	if !json.Valid(text) {
		log.Fatalf("no JSON: %q", text)
	}
	*into.(*interface{}) = string(text)
	return nil
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
