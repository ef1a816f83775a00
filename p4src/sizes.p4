/* What each table promises to hold, overridable with -D when compiling. */

#ifndef CFN_SIZES
#define CFN_SIZES

#ifndef ROUTER_ADDRESSES      /* addresses that are the router's, of each family */
#define ROUTER_ADDRESSES 64
#endif

#ifndef FUNCTION_PREFIXES     /* function prefixes known to the network */
#define FUNCTION_PREFIXES 16384
#endif

#ifndef PERMITS               /* (tenant, function prefix) pairs */
#define PERMITS 65536
#endif

#ifndef DEMAND_RULES
#define DEMAND_RULES 256
#endif

#ifndef SERVICE_ENTRIES       /* (family, class, function prefix) */
#define SERVICE_ENTRIES 32768
#endif

#ifndef INSTANCES             /* instances at one router */
#define INSTANCES 4096
#endif

#ifndef SITES
#define SITES 4096
#endif

#ifndef SLOTS                 /* members that a router tells apart in counters and registers */
#define SLOTS 8192
#endif

#ifndef GROUPS                /* sets of members that services draw from */
#define GROUPS 32768
#endif

#ifndef PORTS                 /* as many as v1model can name */
#define PORTS 512
#endif

#ifndef CHAIN_FUNCTIONS       /* functions that a chain may have left */
#define CHAIN_FUNCTIONS 8
#endif

/* Weights in one group may add up to this much. BMv2 copies a member once per unit of weight, so the bound is
 * what keeps a group's cost bounded there; 256 resolves a share to 0.4 %. */
#ifndef GROUP_WEIGHT
#define GROUP_WEIGHT 256
#endif

#ifndef SELECTOR_WEIGHT       /* sum of the weights of all service groups */
#define SELECTOR_WEIGHT 1048576
#endif

#ifndef ROUTES                /* of each family */
#define ROUTES 16384
#endif

#ifndef NEXT_HOPS
#define NEXT_HOPS 1024
#endif

#ifndef ECMP_WAYS             /* next hops of one route */
#define ECMP_WAYS 32
#endif

#endif
