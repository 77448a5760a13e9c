// A client of HTTPS by Go's crypto/tls: PORT PREFIX COUNT PAUSE_MS CONNECTIONS. Says "done ID" for each response that it read whole.
// The transport of net/http would ask again by itself on a connection that died; here each request is sent once.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func ask(connection *tls.Conn, reader *bufio.Reader, id string, index int) (int, error) {
	method, body := "GET", ""
	if index%3 == 2 {
		method, body = "POST", strings.Repeat("x", index*1000)
	}
	question, err := http.NewRequest(method, "https://127.0.0.1/go", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	question.Header.Set("X-Request-ID", id)
	if err = question.Write(connection); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(reader, question)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

func main() {
	count, _ := strconv.Atoi(os.Args[3])
	pauseMs, _ := strconv.Atoi(os.Args[4])
	connections, _ := strconv.Atoi(os.Args[5])
	var wait sync.WaitGroup
	for first := 0; first < connections; first++ {
		wait.Add(1)
		go func(first int) {
			defer wait.Done()
			var connection *tls.Conn
			var reader *bufio.Reader
			for index := first; index < count; index += connections {
				id := os.Args[2] + strconv.Itoa(index)
				var err error
				status := 0
				if connection == nil {
					connection, err = tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{InsecureSkipVerify: true})
					reader = bufio.NewReader(connection)
				}
				if err == nil {
					status, err = ask(connection, reader, id, index)
				}
				if err == nil && status == 200 {
					fmt.Println("done", id)
				} else {
					fmt.Println("failed", id, status, err)
					if connection != nil {
						connection.Close()
					}
					connection = nil
				}
				time.Sleep(time.Duration(pauseMs) * time.Millisecond)
			}
			if connection != nil {
				connection.Close()
			}
		}(first)
	}
	wait.Wait()
}
