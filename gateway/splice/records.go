package splice

// records follows one direction of a TLS connection by the headers of its records (RFC 8446, section 5.1), without
// decrypting anything.
type records struct {
	spoken bool // a whole record of application data has passed
	broken bool // what goes by is not TLS
	header [recordHeader]byte
	have   int // bytes of the header that are there
	left   int // bytes of the record that are still to come
}

const (
	recordHeader    = 5
	changeCipher    = 20
	applicationData = 23
	maxRecord       = 1<<14 + 2048 // TLS 1.2 allows so much; 1.3 less
)

// pass takes the next bytes that go by.
func (r *records) pass(b []byte) {
	for len(b) > 0 && !r.spoken && !r.broken {
		if r.have < recordHeader {
			n := copy(r.header[r.have:], b)
			r.have, b = r.have+n, b[n:]
			if r.have < recordHeader {
				return
			}
			r.left = int(r.header[3])<<8 | int(r.header[4])
			r.broken = r.header[0] < changeCipher || r.header[0] > applicationData || r.header[1] != 3 || r.left > maxRecord
		}
		n := min(r.left, len(b))
		r.left, b = r.left-n, b[n:]
		if r.left == 0 {
			r.spoken = r.header[0] == applicationData && !r.broken
			r.have = 0
		}
	}
}
