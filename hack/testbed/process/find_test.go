package process

import (
	"os"
	"testing"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"
	tests := []struct {
		why, stat string
		want      uint64
		ok        bool
	}{
		{"an ordinary process", "12 (etcd)" + rest, 4711, true},
		{"a name with blanks and parentheses", "12 (a) b (c)" + rest, 4711, true},
		{"a zombie has ended", "12 (etcd) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21", 0, false},
		{"a line that was cut off", "12 (etcd) S 1 2", 0, false},
	}
	for _, tt := range tests {
		got, err := parseStat(tt.stat)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%s: got %d, %v", tt.why, got, err)
		}
	}
}

func TestAlive(t *testing.T) {
	begun, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !(Record{PID: os.Getpid(), Start: begun}).Alive() {
		t.Error("this very process counts as dead")
	}
	if (Record{PID: os.Getpid(), Start: begun - 1}).Alive() {
		t.Error("a process that got a dead one's id counts as that one")
	}
}
