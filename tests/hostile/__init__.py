"""A zoo of hostile and clumsy components: each does one thing that a plugin should not."""
