// What holds a Pod's namespaces, for `make e2e`.
module tweetbot.dev/cluster/pause

go 1.24.0
