// Two ends of HTTP/2 without TLS by Go's x/net/http2 (Debian's package, found by GOPATH), driven over standard input: "N" makes the
// client ask N times more, each line of the answer is one exchange: port, path, then the status and the X-Answer header that came back.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

func main() {
	address := "127.0.0.1:" + os.Args[1]
	connections, _ := strconv.Atoi(os.Args[2])
	server := &http.Server{Handler: h2c.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Answer", "to "+r.URL.Path)
		w.Header().Set("X-Constant", "the same in every response")
		io.WriteString(w, "hello")
	}), &http2.Server{})}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		panic(err)
	}
	go server.Serve(listener)
	clients := make([]*http.Client, connections)
	ports := make([]string, connections)
	for i := range clients {
		port := &ports[i]
		transport := &http2.Transport{AllowHTTP: true, DialTLS: func(network, to string, _ *tls.Config) (net.Conn, error) {
			conn, err := net.Dial(network, to)
			if err == nil {
				_, *port, _ = net.SplitHostPort(conn.LocalAddr().String())
			}
			return conn, err
		}}
		clients[i] = &http.Client{Transport: transport}
	}
	fmt.Println("ready")
	asked := 0
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		var which, count int
		fmt.Sscan(input.Text(), &which, &count)
		for n := 0; n < count; n++ {
			asked++
			path := fmt.Sprintf("/go/%d", asked%7)
			request, _ := http.NewRequest("GET", "http://"+address+path, nil)
			request.Header.Set("X-Asked", strconv.Itoa(asked%5))
			response, err := clients[which].Do(request)
			if err != nil {
				panic(err)
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			fmt.Println(ports[which], path, request.Header.Get("X-Asked"), response.StatusCode, response.Header.Get("X-Answer"))
		}
		fmt.Println("done")
	}
}
