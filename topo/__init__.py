"""Labs: topologies of network namespaces, real links, real load, and traffic to drive them."""
