/* pause_api.h: why agents may pause, when they did, and what each was doing when. */
#ifndef OMNIVOX_GATEWAY_PAUSE_API_H
#define OMNIVOX_GATEWAY_PAUSE_API_H

#include "gateway/api.h"

void pause_reasons_list(struct api_call *call, struct api_reply *reply);
void agent_pauses_list(struct api_call *call, struct api_reply *reply);
void agent_states_list(struct api_call *call, struct api_reply *reply);

#endif
