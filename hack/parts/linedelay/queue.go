package main

import "time"

// capacity is how many frames wait at most, of up to 64 KiB each. More are dropped, as by any router whose buffer is full.
const capacity = 1 << 13

// queue keeps frames for a while. The delay is the same for all, so they leave in the order in which they came.
type queue struct {
	delay   time.Duration
	waiting chan kept
	send    func(frame []byte)
	sleep   func(time.Duration)
	now     func() time.Time
}

type kept struct {
	frame []byte
	due   time.Time
}

func newQueue(delay time.Duration, send func([]byte)) *queue {
	return &queue{delay: delay, waiting: make(chan kept, capacity), send: send, sleep: time.Sleep, now: time.Now}
}

// add takes a frame that came at a moment, and drops it if too many wait.
func (q *queue) add(frame []byte, came time.Time) {
	select {
	case q.waiting <- kept{frame, came.Add(q.delay)}:
	default:
	}
}

// run sends each frame when it is due, until the queue is closed.
func (q *queue) run() {
	for k := range q.waiting {
		if wait := k.due.Sub(q.now()); wait > 0 {
			q.sleep(wait)
		}
		q.send(k.frame)
	}
}
