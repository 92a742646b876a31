"""From the API server's watches to the cache and the work queue. kopf is our list-watch and nothing else.

kopf holds one watch per kind (and namespace) and calls a handler with each event; the handler parses the object, puts
it into the cache, and adds the TweetBot concerned to the work queue, from which the workers take it. kopf writes to no
object, keeps nothing in memory and starts no pass: `kopf_setup` turns all of that off. A watch that is lost is opened
again, by kopf or, if kopf itself has ended, by `watches`, with caches and Lease kept; what happened in between is found
by `resync`, which compares the API server's metadata with the cache.
"""
