package line

import "container/list"

// queues are the sources that have half-open connections, by how many, so that the one with the most is found at once.
type queues struct {
	visits   int          // altogether
	byLength []*list.List // of *source; the one that has had its length the longest comes first
}

// update moves a source to its place after its queue has become longer or shorter by change.
func (q *queues) update(s *source, change int) {
	q.visits += change
	length := s.waiting.Len()
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

// longest is the source with the most; there has to be one.
func (q *queues) longest() *source {
	for length := len(q.byLength) - 1; length > 0; length-- {
		if front := q.byLength[length].Front(); front != nil {
			return front.Value.(*source)
		}
	}
	return nil
}
