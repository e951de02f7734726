package main

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// sinkRole is the node behind the line: it answers the first bytes with one byte and then swallows what comes. For each
// line on its standard input it writes how many bytes it has swallowed.
func sinkRole([]string) error {
	ln, err := net.Listen("tcp", fmt.Sprintf(":%d", sinkPort))
	if err != nil {
		return err
	}
	var total atomic.Int64
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go swallow(conn.(*net.TCPConn), &total)
		}
	}()
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		fmt.Println(total.Load())
	}
	return nil
}

func swallow(conn *net.TCPConn, total *atomic.Int64) {
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 4<<10)); err != nil {
		return
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	// MSG_TRUNC drops the bytes within the kernel, so that the sink costs little of what is measured.
	buf := make([]byte, 1<<20)
	for {
		var n int
		var got error
		if err := raw.Read(func(fd uintptr) bool {
			n, _, got = syscall.Recvfrom(int(fd), buf, syscall.MSG_TRUNC)
			return got != syscall.EAGAIN
		}); err != nil || got != nil || n <= 0 {
			return
		}
		total.Add(int64(n))
	}
}

// hello is a real ClientHello with the server name that the competitors route by.
func hello() ([]byte, error) {
	c, s := net.Pipe()
	defer c.Close()
	defer s.Close()
	go func() {
		_ = tls.Client(c, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}).Handshake() // nobody answers
	}()
	buf := make([]byte, 16<<10)
	n, err := s.Read(buf)
	return buf[:n], err
}

func open(address string, head []byte) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if _, err = conn.Write(head); err == nil {
		if err = conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err == nil {
			_, err = io.ReadFull(conn, make([]byte, 1))
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// pumpRole sends as much as it can over so many streams until its standard input ends; it says when it has begun.
func pumpRole(args []string) error {
	f := flag.NewFlagSet("pump", flag.ContinueOnError)
	address, streams := f.String("to", "", ""), f.Int("streams", 1, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	head, err := hello()
	if err != nil {
		return err
	}
	conns := make([]net.Conn, *streams)
	for i := range conns {
		if conns[i], err = open(*address, head); err != nil {
			return err
		}
	}
	block := make([]byte, 256<<10)
	for _, conn := range conns {
		go func() {
			for {
				if _, err := conn.Write(block); err != nil {
					return
				}
			}
		}()
	}
	fmt.Println("begun")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// connectRole opens connections, hears one byte and closes them, as fast as it can, and says how many a second.
func connectRole(args []string) error {
	f := flag.NewFlagSet("connect", flag.ContinueOnError)
	address, workers, duration := f.String("to", "", ""), f.Int("workers", 1, ""), f.Duration("for", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	head, err := hello()
	if err != nil {
		return err
	}
	var done, failed atomic.Int64
	var tasks sync.WaitGroup
	started := time.Now()
	for range *workers {
		tasks.Go(func() {
			for first := true; first || time.Since(started) < *duration; first = false {
				conn, err := open(*address, head)
				if err != nil {
					failed.Add(1)
					continue
				}
				conn.Close()
				done.Add(1)
			}
		})
	}
	tasks.Wait()
	if bad := failed.Load(); bad*100 > done.Load() {
		return fmt.Errorf("%d of %d connections failed", bad, bad+done.Load())
	}
	fmt.Println(float64(done.Load()) / time.Since(started).Seconds())
	return nil
}
