# Two commands need no set-up: `make demo` and `make test`. The others are for those who work on guichet.

.PHONY: demo demo-headless test sim sim-planted chaos chaos-redis bench test-browser test-contract test-integration lint

demo: ## build, make throw-away keys, start gateway, sandbox and portal, print where to click; STORE=redis for two gateways
	@scripts/demo.sh serve $(STORE)

demo-headless: ## the same journey without a browser; fails when any step does
	@scripts/demo.sh headless $(STORE)

test: ## every test
	scripts/test.sh

sim: ## lives under a simulated world: SEEDS=2000 for so many of them, SEED=7 to read one
	@SEEDS=$(SEEDS) SEED=$(SEED) FIRST_SEED=$(FIRST_SEED) scripts/sim.sh

sim-planted: ## the same with deliberate defects, one at a time: LIVES=60 with each, BUG=SurplusKept SEED=7 to read one
	@LIVES=$(LIVES) BUG=$(BUG) SEED=$(SEED) scripts/sim-planted.sh

chaos: ## the real gateway killed, cut off, traced, on bad disks: KILLS=300 for so many kills, SEED=1
	@KILLS=$(KILLS) SEED=$(SEED) scripts/chaos.sh

chaos-redis: ## several real gateways while their Redis fails: FAILOVERS=200 DEBITS=1000
	@FAILOVERS=$(FAILOVERS) DEBITS=$(DEBITS) scripts/chaos-redis.sh

bench: ## how fast, as ratios of one run: stores, gateways, reads, notifications; ONLY=reads for a part
	@ONLY=$(ONLY) scripts/bench.sh

test-browser: ## the demo portal in a real browser; pictures in target/browser
	scripts/test-browser.sh

test-contract: ## real answers held against the contract, and schemathesis on it
	scripts/test-contract.sh

test-integration: ## the quick start as it is written, webhooks verified in three languages
	scripts/test-integration.sh

lint: ## what .ci/run checks before the tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
