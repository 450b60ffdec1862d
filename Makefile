# `make demo` and `make test` are all the set-up there is: they build what they need.

.PHONY: demo test soak lint bench deny

# The whole story on this machine: a local Twilio, a campaign, a table of results.
demo:
	cargo run --locked --quiet -- demo

# All tests, of all crates. They need nothing but this machine's loopback addresses.
# The failpoints do nothing in a test that does not arm one.
test:
	cargo test --workspace --features failpoints --locked

# The same tests, the long way: docs/reliability.md says what each shows. Hours, on two cores.
soak:
	GYMCALL_SOAK=1 cargo test --workspace --features failpoints --locked --no-fail-fast -- --nocapture --test-threads=1

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --document-private-items --locked --quiet

bench:
	cargo bench --workspace --locked

# Licences, sources and doubled crates; needs `cargo install cargo-deny --locked` once.
deny:
	cargo deny --all-features check bans licenses sources
