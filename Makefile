# `make demo` and `make test` are all the set-up there is: they build what they need.

.PHONY: demo test conformance planted soak redis-server lint bench deny

# The whole story on this machine: a local Twilio, a campaign, a table of results.
demo:
	cargo run --locked --quiet -- demo

# All tests, of all crates. They need nothing but this machine's loopback addresses, and redis-server.
# The failpoints do nothing in a test that does not arm one. Most tests wait for calls, and not for a processor: more of
# them at once than there are processors take a third of the time.
test: redis-server
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-6} cargo test --workspace --features failpoints --locked

# The same tests, the long way: docs/reliability.md says what each shows. Hours, on two cores.
soak: redis-server
	GYMCALL_SOAK=1 cargo test --workspace --features failpoints --locked --no-fail-fast -- --nocapture --test-threads=1

# Twilio's own Python and Node libraries against the local Twilio and against the server; needs python3 and node.
# Built as the tests are, with their features and beside one of them, so that nothing is built twice.
conformance:
	cargo build --workspace --features failpoints --locked --bin gymcall --test planted
	tests/conformance/run

# The tests start servers of their own; here it is only made sure that there is one to start.
redis-server:
	@command -v redis-server >/dev/null && exit 0; \
	if command -v apt-get >/dev/null; then \
		if [ "$$(id -u)" = 0 ]; then root=env; else root=$$(command -v sudo); fi; \
		if [ -n "$$root" ]; then \
			$$root apt-get update -qq; $$root apt-get install -y -qq redis-server; \
		fi; \
	fi; \
	command -v redis-server >/dev/null || { \
		echo "redis-server 7 or newer is needed: install it (Debian: apt-get install redis-server; macOS: brew install redis)" >&2; \
		exit 1; \
	}

# Plants known bugs into a copy of the sources, one after the other, and demands that the tests see each.
planted: redis-server
	tests/planted/run

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --document-private-items --locked --quiet

# Beside peers, which are installed into target/bench; needs redis-server, node and python3. What is missing is said.
bench:
	-benches/peers/install
	cargo bench --locked --bench measure
	cargo bench --locked -p gymcall-simulator --bench frames

# Licences, sources and doubled crates; needs `cargo install cargo-deny --locked` once.
deny:
	cargo deny --all-features check bans licenses sources
