// What the Go endpoint of docs/verify-signatures.md is built with. The suite skips it on machines with an older Go.
module endpoint

go 1.21

require github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
