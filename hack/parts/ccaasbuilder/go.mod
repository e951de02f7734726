module github.com/hanse-io/hanse/hack/parts/ccaasbuilder

go 1.26.0
