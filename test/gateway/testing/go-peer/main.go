// A client and a server of HTTPS, by Go's own crypto/tls.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

func serve(address, certificate, key string) {
	http.HandleFunc("/", func(answer http.ResponseWriter, question *http.Request) {
		bytes, _ := io.Copy(io.Discard, question.Body)
		answer.Header().Set("X-Served-By", "go")
		fmt.Fprintf(answer, "%d\n", bytes)
	})
	listener, err := net.Listen("tcp", address)
	if err != nil {
		panic(err)
	}
	fmt.Println("listening")
	// An empty map keeps it to HTTP/1.1.
	server := &http.Server{TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	panic(server.ServeTLS(listener, certificate, key))
}

func ask(url, prefix string, count int) {
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		TLSNextProto:    map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxConnsPerHost: 4,
	}}
	var wait sync.WaitGroup
	for index := 0; index < count; index++ {
		wait.Add(1)
		go func(index int) {
			defer wait.Done()
			method, body := "GET", ""
			if index%3 == 2 {
				method, body = "POST", strings.Repeat("x", index*1000)
			}
			question, err := http.NewRequest(method, url, strings.NewReader(body))
			if err != nil {
				panic(err)
			}
			question.Header.Set("X-Request-ID", prefix+strconv.Itoa(index))
			answer, err := client.Do(question)
			if err != nil {
				panic(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}(index)
	}
	wait.Wait()
	client.CloseIdleConnections()
}

func main() {
	if os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3], os.Args[4])
		return
	}
	count, err := strconv.Atoi(os.Args[4])
	if err != nil {
		panic(err)
	}
	ask(os.Args[2], os.Args[3], count)
}
