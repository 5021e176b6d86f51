"""Networks that generative models are put together from; or, in their place, the visitor's own."""
