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
#define SERVICE_ENTRIES 131072
#endif

#ifndef INSTANCES             /* instances at one router */
#define INSTANCES 16384
#endif

#ifndef SITES
#define SITES 4096
#endif

#ifndef SLOTS                 /* members that a router tells apart in counters and registers */
#define SLOTS 32768
#endif

#ifndef GROUPS                /* sets of members that services draw from */
#define GROUPS 32768
#endif

#ifndef TENANTS               /* whose rate is metered */
#define TENANTS 4096
#endif

#ifndef AUTH_TENANTS          /* that sign their requests; 256 at most, with 256 senders each */
#define AUTH_TENANTS 256
#endif

#ifndef USAGES                /* (tenant, service, site) that are billed */
#define USAGES 131072
#endif

#ifndef FLOWS                 /* flows remembered for hosts that don't echo cookies */
#define FLOWS 16384
#endif

#ifndef INPUTS                /* inputs whose holder is known */
#define INPUTS 65536
#endif

#ifndef RESULTS               /* results whose holder is known */
#define RESULTS 65536
#endif

#ifndef MEMBERS               /* (group, site): where a request can be drawn to by its data */
#define MEMBERS 65536
#endif

#ifndef SEGMENT_LISTS         /* (site, service, class) that is reached by segments */
#define SEGMENT_LISTS 1024
#endif

#ifndef SEGMENTS              /* in one list */
#define SEGMENTS 3
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
