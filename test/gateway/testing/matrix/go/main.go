// Client and server of the matrix in Go: net/http, crypto/tls, and x/net/http2 where HTTP/2 has no TLS.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

const answer = "hello from the matrix"

// Go has the fields in a map: names in its own spelling, their order is lost, that of the values of one name is not.
func fields(header http.Header) [][2]string {
	all := [][2]string{}
	for name, values := range header {
		for _, value := range values {
			all = append(all, [2]string{name, value})
		}
	}
	return all
}

type recorder struct {
	file *os.File
	lock sync.Mutex
}

func (to *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.Copy(io.Discard, r.Body)
	// All fields are said here, so that Go adds none and the map is what goes out.
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.Header().Set("X-Served-By", "go")
	w.Header()["X-Twice"] = []string{"first", "second"}
	w.WriteHeader(200)
	_, client, _ := net.SplitHostPort(r.RemoteAddr)
	port, _ := strconv.Atoi(client)
	request, version := fields(r.Header), "2"
	if r.ProtoMajor == 1 {
		version = strings.TrimPrefix(r.Proto, "HTTP/")
		// These two Go takes out of the map.
		request = append(request, [2]string{"Host", r.Host})
		for _, coding := range r.TransferEncoding {
			request = append(request, [2]string{"Transfer-Encoding", coding})
		}
	}
	line, err := json.Marshal(map[string]any{"client": port, "version": version, "method": r.Method, "target": r.RequestURI,
		"request": request, "body": body, "status": 200, "response": fields(w.Header())})
	if err != nil {
		panic(err)
	}
	to.lock.Lock()
	defer to.lock.Unlock()
	to.file.Write(append(line, '\n'))
	io.WriteString(w, answer)
}

func serve(log, certificate, key string, ports []string) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	handler := &recorder{file: file}
	failed := make(chan error)
	only := map[string]func(*http.Server, *tls.Conn, http.Handler){}
	start := func(server *http.Server, port string, secure bool) {
		server.Addr = "127.0.0.1:" + port
		go func() {
			if secure {
				failed <- server.ListenAndServeTLS(certificate, key)
			} else {
				failed <- server.ListenAndServe()
			}
		}()
	}
	start(&http.Server{Handler: handler}, ports[0], false)
	start(&http.Server{Handler: handler, TLSNextProto: only}, ports[1], true)
	start(&http.Server{Handler: h2c.NewHandler(handler, &http2.Server{})}, ports[2], false)
	start(&http.Server{Handler: handler}, ports[3], true)
	panic(<-failed)
}

func transport(version string, secure bool) http.RoundTripper {
	insecure := &tls.Config{InsecureSkipVerify: true}
	if version == "2" && !secure {
		return &http2.Transport{AllowHTTP: true, DialTLS: func(network, to string, _ *tls.Config) (net.Conn, error) {
			return net.Dial(network, to)
		}}
	}
	if version == "2" {
		return &http.Transport{TLSClientConfig: insecure, ForceAttemptHTTP2: true}
	}
	return &http.Transport{TLSClientConfig: insecure, MaxConnsPerHost: 2,
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
}

func ask(version, base, path string, count int) {
	client := &http.Client{Transport: transport(version, strings.HasPrefix(base, "https:"))}
	var wait sync.WaitGroup
	for index := 0; index < count; index++ {
		wait.Add(1)
		go func(index int) {
			defer wait.Done()
			method, body := "GET", io.Reader(nil)
			if index%3 == 2 {
				method, body = "POST", strings.NewReader(strings.Repeat("x", index*1000))
			}
			request, err := http.NewRequest(method, fmt.Sprintf("%s%s/%d?at=%d", base, path, index, index), body)
			if err != nil {
				panic(err)
			}
			request.Header.Set("X-Request-ID", fmt.Sprintf("go-%d", index))
			request.Header["X-Same"] = []string{"one", "two"}
			request.Header.Set("X-Odd", `a;b="c, d"=`)
			response, err := client.Do(request)
			if err != nil {
				panic(err)
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}(index)
	}
	wait.Wait()
}

func main() {
	if os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	}
	count, _ := strconv.Atoi(os.Args[5])
	ask(os.Args[2], os.Args[3], os.Args[4], count)
}
