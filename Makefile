# `make demo` and `make test` are all the set-up there is: they build what they need.

.PHONY: demo test lint bench deny

# The whole story on this machine: a local Twilio, a campaign, a table of results.
demo:
	cargo run --locked --quiet -- demo

# All tests, of all crates. They need nothing but this machine's loopback addresses.
test:
	cargo test --workspace --locked

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked --quiet

bench:
	cargo bench --workspace --locked

# Licences, sources and doubled crates; needs `cargo install cargo-deny --locked` once.
deny:
	cargo deny --all-features check bans licenses sources
