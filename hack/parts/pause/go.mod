module github.com/hanse-io/hanse/hack/parts/pause

go 1.26.0
