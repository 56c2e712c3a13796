"""Audio: decoding, fetching and checking of data sets."""
