package gateway

import "container/list"

// halfOpenQueues are the sources with half-open connections, by their number, so that the one with the most is found at
// once.
type halfOpenQueues struct {
	total    int          // altogether
	byLength []*list.List // of *source; the one that has had its length the longest comes first
}

// update moves a source to the list of its new length, which has changed by change.
func (q *halfOpenQueues) update(s *source, change int) {
	q.total += change
	length := s.halfOpen.Len()
	if s.place != nil {
		q.byLength[length-change].Remove(s.place)
		s.place = nil
	}
	for len(q.byLength) <= length {
		q.byLength = append(q.byLength, list.New())
	}
	if length > 0 {
		s.place = q.byLength[length].PushBack(s)
	}
}

// longest is the source with the most half-open connections; there must be one.
func (q *halfOpenQueues) longest() *source {
	for length := len(q.byLength) - 1; length > 0; length-- {
		if front := q.byLength[length].Front(); front != nil {
			return front.Value.(*source)
		}
	}
	return nil
}
