/* P4Runtime ids of tables, actions and externs. An id, once given, is never reused:
 * take the next free one noted at each list's end. The high byte is the P4Runtime resource type
 * (P4Runtime specification 1.4, section 6.3); p4c adds it. */

#ifndef CFN_IDS
#define CFN_IDS

#define ID_T_MY_MAC          1
#define ID_T_LOCAL_IPV4      2
#define ID_T_LOCAL_IPV6      3
#define ID_T_ARP_REPLY       4
#define ID_T_ND_REPLY        5
#define ID_T_FUNCTION        6
#define ID_T_PERMIT          7
#define ID_T_DEMAND_CLASS    8
#define ID_T_COOKIE_KEY      9
#define ID_T_SEAL_KEY        10
#define ID_T_INSTANCE        11
#define ID_T_SERVICE         12
#define ID_T_IPV4_ROUTE      13
#define ID_T_IPV6_ROUTE      14
#define ID_T_NEXT_HOP        15
#define ID_T_ANYCAST_SOURCE  16
#define ID_T_OUTCOME         17
#define ID_T_SITE            18
#define ID_T_CORE_PORT       19
#define ID_T_DRAW            20
/* 21 is retired */
#define ID_T_ROUTER          22
#define ID_T_TENANT_KEY      23
#define ID_T_CONTRACT        24
#define ID_T_USAGE           25
#define ID_T_RESULT_HOLDER   26
#define ID_T_INPUT_HOLDER    27
#define ID_T_MEMBER          28
#define ID_T_DATA_AGENT      29
#define ID_T_SEGMENT_LIST    30
#define ID_T_RIVAL           31
/* next free: 32 */

#define ID_A_FOR_ROUTER      1
#define ID_A_ANYCAST         2
#define ID_A_OWN_ADDRESS     3
#define ID_A_ANSWER_ARP      4
#define ID_A_ANSWER_ND       5
#define ID_A_KNOWN           6
#define ID_A_ALLOW           7
#define ID_A_SET_CLASS       8
#define ID_A_USE_KEY         9
#define ID_A_SEAL_WITH       10
#define ID_A_LIVE            11
#define ID_A_BIND_INSTANCE   12
#define ID_A_NO_CAPACITY     13
#define ID_A_SET_NEXT_HOP    14
#define ID_A_FORWARD_EDGE    15
#define ID_A_FORWARD_CORE    16
#define ID_A_ANYCAST_IS      17
#define ID_A_SITE_ADDRESS    18
#define ID_A_FROM_CORE       19
#define ID_A_HERE            20
#define ID_A_REMOTE          21
#define ID_A_SET_GROUP       22
#define ID_A_UNMET           23
#define ID_A_BIND_SITE       24
#define ID_A_SHED            25
#define ID_A_ROUTER_IS       26
#define ID_A_SIGNS_WITH      27
#define ID_A_MEASURE         28
#define ID_A_COUNT_USE       29
#define ID_A_RESULT_AT       30
#define ID_A_INPUT_AT        31
#define ID_A_MEMBER_REMOTE   32
#define ID_A_MEMBER_HERE     33
#define ID_A_AGENT_AT        34
#define ID_A_VIA_1           35
#define ID_A_VIA_2           36
#define ID_A_VIA_3           37
#define ID_A_SEGMENT         38
#define ID_A_DIRECT          39
#define ID_A_TO_INSTANCE     40
#define ID_A_TO_SITE         41
/* next free: 42 */

#define ID_P_MEMBERS         1
#define ID_P_NEXT_HOPS       2
/* next free: 3 */

#define ID_C_BOUND           1
/* next free: 2 */

#define ID_M_ICMP            1
/* next free: 2 */

#endif
