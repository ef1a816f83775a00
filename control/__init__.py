"""The control plane: catalogue, adverts, policies, and the writing of them into P4Runtime targets."""
